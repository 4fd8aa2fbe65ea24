"""`trackbed add`: pictures with new labels become pictures of the source."""

from pathlib import Path

import pytest
import yaml
from PIL import Image
from program import trackbed

from trackbed.dataset import sources
from trackbed.dataset.groups import Grouping

ROOT = Path(__file__).parents[2]
ROWS = ["cam1/7.png,STONE", "cam1/8.png,", "cam2/7.png,GRAS"]


def picture(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (16, 16), value).save(path)


def write(project, rows, header="filename,label"):
    (project / "new/label_first.csv").write_text("\n".join([header, *rows]) + "\n")


def set_data(project, **values):
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["data"] |= {"source": "raw", "group": None} | values
    (project / "params.yaml").write_text(yaml.safe_dump(params))


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def add(project, *options):
    return trackbed("add", "new/label_first.csv", *options, folder=project)


@pytest.fixture
def project(tmp_path):
    """Classes in train/ and test/, and three new pictures, two of them with a label."""
    for index, name in enumerate(("GRAS/1.png", "STONE/1.png")):
        picture(tmp_path / "raw/train" / name, index)
        picture(tmp_path / "raw/test" / name, 10 + index)
    for index, row in enumerate(ROWS):
        picture(tmp_path / "new" / row.partition(",")[0], 100 + index)
    write(tmp_path, ROWS)
    set_data(tmp_path)
    return tmp_path


def test_labelled_pictures_join_the_training_part(project):
    before = files(project / "raw")
    done = add(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "raw: 2 added, 0 there already; left out without a label: 1\n"
    added = files(project / "raw") - before
    assert added == {"train/STONE/new/cam1/7.png", "train/GRAS/new/cam2/7.png"}
    copied = (project / "raw/train/GRAS/new/cam2/7.png").read_bytes()
    assert copied == (project / "new/cam2/7.png").read_bytes()
    listing = sources.scan(project / "raw", None, Grouping(None, False))
    assert {e.filename: (e.class_name, e.part) for e in listing.entries if "new" in e.filename} == {
        "train/STONE/new/cam1/7.png": ("STONE", "train"),
        "train/GRAS/new/cam2/7.png": ("GRAS", "train"),
    }


def test_more_labels_are_added_later(project):
    add(project)
    write(project, [ROWS[0], "cam1/8.png,GRAS", ROWS[2]])
    done = add(project)
    assert done.stdout == "raw: 1 added, 2 there already; left out without a label: 0\n"
    assert (project / "raw/train/GRAS/new/cam1/8.png").is_file()


def test_a_source_without_parts_and_a_new_class(project):
    set_data(project, source="raw/train")
    write(project, ["cam1/7.png,SNOW"])
    assert add(project, "--new-classes").returncode == 0
    assert (project / "raw/train/SNOW/new/cam1/7.png").is_file()


@pytest.mark.parametrize(
    ("rows", "values", "message"),
    [
        ([ROWS[2], "cam1/7.png,STONES"], {}, "the label 'STONES', which is no class of the source"),
        ([ROWS[2], "cam1/7.png,STONES"], {}, "Did you mean 'STONE'?"),
        (["cam1/7.png,", "cam2/7.png,"], {}, "no row has a label"),
        ([ROWS[0], "cam1/7.png,GRAS"], {}, "'cam1/7.png' is labelled 'STONE' and 'GRAS'"),
        ([ROWS[0], "cam9/7.png,GRAS"], {}, "cam9/7.png"),
        (["../raw/train/GRAS/1.png,GRAS"], {}, "must lie in the folder of the manifest"),
        (ROWS, {"group": "^([1x])"}, "'cam1/7.png' does not match data.group"),
    ],
)
def test_nothing_is_copied_if_anything_is_wrong(project, rows, values, message):
    set_data(project, **values)
    write(project, rows)
    before = files(project / "raw")
    done = add(project)
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert files(project / "raw") == before


def test_another_picture_is_not_replaced(project):
    target = project / "raw/train/GRAS/new/cam2/7.png"
    picture(target, 50)
    content = target.read_bytes()
    done = add(project)
    assert (done.returncode, done.stdout) == (3, "")
    assert "raw/train/GRAS/new/cam2/7.png: exists with another content" in done.stderr
    assert target.read_bytes() == content
    assert not (project / "raw/train/STONE/new").exists()


def test_boxes_and_manifest_sources_are_refused(project):
    write(project, ["cam1/7.png,GRAS,1,1,9,9"], "filename,label,left,top,right,bottom")
    assert "has a box" in add(project).stderr
    write(project, ROWS)
    (project / "raw2").mkdir()
    for index, name in enumerate("ab"):
        picture(project / f"raw2/{name}.png", index)
    (project / "raw2/manifest.csv").write_text("filename,label\na.png,GRAS\nb.png,STONE\n")
    set_data(project, source="raw2")
    done = add(project)
    assert done.returncode == 2
    assert "has no class folders" in done.stderr


def test_the_built_in_sample_is_left_alone(project):
    (project / "data").mkdir()
    (project / "raw/train").rename(project / "data/sample")
    set_data(project, source="data/sample")
    before = files(project / "data")
    done = add(project)
    assert done.returncode == 2
    assert "data/sample: is the built-in sample" in done.stderr
    assert files(project / "data") == before


def test_lost_groups_are_reported(project):
    write(project, ["cam1/7.png,GRAS,cam1"], "filename,label,group")
    assert "groups of the manifest are lost" in add(project).stdout
    set_data(project, group="folder", source="raw/train")
    for name in ("GRAS", "STONE"):
        picture(project / "raw/train" / name / "old/2.png", 3)
        (project / "raw/train" / name / "1.png").unlink()
    assert "lost" not in add(project).stdout
