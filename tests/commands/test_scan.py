import csv
import os

import pytest
from PIL import Image
from program import trackbed
from project import ROOT, draw

from trackbed import cli

BAD_DATA = 3


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return draw(tmp_path / "raw", groups=2)


def state(folder):
    """Names, types, times and contents of all that lies in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[path] = (status.st_mode, status.st_mtime_ns, status.st_size, content)
    return found


def scanned(capsys, *arguments):
    code = cli.main(["scan", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_a_folder_without_faults(source, capsys):
    code, out = scanned(capsys, source)
    assert code == 0
    assert "12 files = 12 accepted + 0 rejected + 0 ignored; 3 classes" in out
    assert out.endswith("is safe; the build would take every picture.\n")


@pytest.fixture
def evil(source):
    """What dvc add cannot keep, beside what the build rejects or ignores."""
    (source / "GRAS/passwd.png").symlink_to("/etc/passwd")
    (source / "GRAS/.hidden").symlink_to("nowhere")
    (source / "STONE/inner").symlink_to(source / "GRAS")
    os.mkfifo(source / "STONE/pipe.png")
    (source / "STONE" / os.fsdecode(b"caf\xe9.png")).touch()
    (source / "STONE/\x1b[2J.png").touch()
    (source / "STONE/cut.png").write_bytes((source / "STONE/000_0.png").read_bytes()[:99])
    (source / "STONE/narrow.png").touch()
    Image.new("RGB", (300, 10)).save(source / "STONE/narrow.png")
    (source / "STONE/Thumbs.db").touch()
    return source


def test_all_that_dvc_or_the_build_would_stumble_over_is_listed(evil, tmp_path, capsys):
    before = state(evil)
    code, out = scanned(capsys, evil, "--csv", tmp_path / "list.csv")
    assert code == BAD_DATA
    # 12 whole ones, 7 that are rejected and two that are hidden or clutter.
    assert "21 files = 12 accepted + 7 rejected + 2 ignored; 3 classes" in out
    assert "GRAS/passwd.png  (to /etc/passwd)" in out
    assert "is not safe; the build would reject 7 of the files and fail." in out
    assert "7 of 19 files (36.8%) are rejected, data.max_rejects allows 5.0%" in out
    assert out.replace("\n", "").isprintable()
    with (tmp_path / "list.csv").open(newline="") as file:
        rows = [tuple(row.values())[:3] for row in csv.DictReader(file)]
    assert rows == [
        ("GRAS/.hidden", "hazard", "symbolic link"),
        ("GRAS/passwd.png", "hazard", "symbolic link"),
        ("STONE/\\x1b[2J.png", "hazard", "bad name"),
        ("STONE/caf\\xe9.png", "hazard", "bad name"),
        ("STONE/inner", "hazard", "symbolic link"),
        ("STONE/pipe.png", "hazard", "pipe"),
        ("GRAS/passwd.png", "rejected", "not a regular file"),
        ("STONE/\\x1b[2J.png", "rejected", "bad name"),
        ("STONE/caf\\xe9.png", "rejected", "bad name"),
        ("STONE/cut.png", "rejected", "truncated"),
        ("STONE/inner", "rejected", "not a regular file"),
        ("STONE/narrow.png", "rejected", "too narrow"),
        ("STONE/pipe.png", "rejected", "not a regular file"),
        ("GRAS/.hidden", "ignored", ""),
        ("STONE/Thumbs.db", "ignored", ""),
    ]
    assert state(evil) == before


def test_no_picture_is_opened_when_it_must_be_quick(evil, capsys):
    code, out = scanned(capsys, evil, "--quick", "--examples", 1)
    assert code == BAD_DATA
    assert "21 files" in out
    assert "symbolic link: 3" in out
    assert "and 2 more" in out
    assert "truncated" not in out


def test_contradicting_pictures_are_rejected(source, capsys):
    with Image.open(source / "GRAS/000_0.png") as picture:
        picture.save(source / "STONE/twin.bmp")
    code, out = scanned(capsys, source)
    assert code == BAD_DATA
    assert "11 accepted + 2 rejected" in out
    assert "GRAS/000_0.png  (STONE/twin.bmp)" in out
    assert "is safe; the build would reject 2 of the files and fail." in out


def test_the_limits_are_those_of_the_parameters(source, tmp_path, capsys):
    (tmp_path / "params.yaml").write_text("data: {min_side: 21, source: elsewhere}")
    code, out = scanned(capsys, source)
    assert code == BAD_DATA
    assert "too small: 12" in out
    assert "24 x 20, data.min_side is 21" in out


def test_classes_may_be_fixed_and_a_source_refused_as_a_whole(source, capsys):
    assert scanned(capsys, source, "--classes", "STONE,GRAS,BALLAST")[0] == 0
    code, out = scanned(capsys, source, "--classes", "STONE,GRAS")
    assert code == BAD_DATA
    assert "stops the build (build_tfrecord):" in out
    assert "'BALLAST' is no class" in out


def test_an_empty_class_is_listed_though_the_source_is_refused(source, capsys):
    (source / "NEW" / "inside").mkdir(parents=True)
    code, out = scanned(capsys, source)
    assert code == BAD_DATA
    assert "empty class folder: 1\n    NEW" in out
    assert "no picture of class 'NEW'" in out


def test_wrong_usage_is_one_line(source, tmp_path):
    done = trackbed("scan", tmp_path / "nothing")
    assert done.returncode == BAD_DATA
    assert "nothing: no such folder" in done.stderr
    done = trackbed("scan", source, "--csv", source / "list.csv")
    assert done.returncode == 2
    assert "must lie outside of" in done.stderr


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of DVC without git; 15 pictures in each of 3 classes are in data/raw."""
    (tmp_path / "project/.dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    (tmp_path / "project/.dvc/config").write_text("[core]\n    no_scm = true\n")
    draw(tmp_path / "project/data/raw", groups=15, frames=1)
    return tmp_path / "project"


def test_a_folder_outside_of_the_project_is_refused_by_dvc(project, capsys):
    draw(project.parent / "pictures", groups=15, frames=1)
    assert scanned(capsys, "data/raw")[0] == 0
    code, out = scanned(capsys, "../pictures")
    assert code == BAD_DATA
    assert f"outside of the project {project}. Move it there" in out
    assert "dvc add ../pictures --out data/pictures" in out
    assert out.endswith("`dvc add ../pictures` is refused; the build would take every picture.\n")


def test_a_folder_that_dvc_tracks_with_another_is_refused(project, capsys):
    (project / "data.dvc").write_text(f"outs:\n- md5: {'0' * 32}.dir\n  path: data\n")
    code, out = scanned(capsys, "data/raw", "--quick")
    assert code == BAD_DATA
    assert "data/raw: DVC already tracks data (data.dvc)." in out


def test_parameters_of_the_source_are_used_and_others_checked(project, capsys):
    (project / "stages").symlink_to(ROOT / "stages")
    text = (ROOT / "params.yaml").read_text().replace("source: data/sample", "source: data/raw")
    (project / "params.yaml").write_text(
        text.replace("folds: 5", "folds: one").replace("0.05", "2")
    )
    code, out = scanned(capsys, "data/raw", "--quick")
    assert code == BAD_DATA
    assert "params.yaml, data.max_rejects: must be at most 1, got 2." in out
    assert "params.yaml, split.folds: must be a whole number, got one." in out
    assert r"data.group: '^(drive\\d+)_' does not match 45 of 45 file names" in out
    (project / "params.yaml").write_text(text)
    code, out = scanned(capsys, "data", "--classes", "raw")
    assert "params.yaml names another data.source, data/raw: its data.classes, parts" in out


def test_wrong_parameters_alone_have_the_exit_code_of_parameters(project, capsys):
    (project / "params.yaml").write_text("data: [")
    code, out = scanned(capsys, "data/raw", "--quick")
    assert code == 2
    assert "wrong in params.yaml:\n  params.yaml: not valid YAML" in out


def test_a_split_that_must_fail_is_said_before(project, capsys):
    (project / "params.yaml").write_text("data: {source: data/raw}\nsplit: {folds: 16}\n")
    code, out = scanned(capsys, "data/raw", "--quick")
    assert code == BAD_DATA
    assert "stops the split:\n  classes with fewer groups than folds: BALLAST (12)" in out
    (project / "params.yaml").write_text("data: {source: data/raw}\nsplit: {folds: 12}\n")
    assert scanned(capsys, "data/raw", "--quick")[0] == 0
