"""`trackbed drift` on a project of coloured pictures."""

import json
import os
import subprocess
import sys

import browser
import deliveries
import pandas as pd
import pytest
from program import STAGES

from trackbed import cli
from trackbed.dataset import groups, sources
from trackbed.pipeline.errors import BadData


@pytest.fixture
def drift(coloured_project, tmp_path, monkeypatch, capsys):
    """Exit code and output of `trackbed drift` for tmp_path/new, in this process."""
    monkeypatch.chdir(coloured_project)

    def drift(*options, folder=tmp_path / "new"):
        page = tmp_path / "drift.html"
        code = cli.main(["drift", str(folder), "--html", str(page), *map(str, options)])
        return code, *capsys.readouterr()

    return drift


def refused(done):
    assert done[:2] == (2, "")
    assert done[2].count("\n") == 1
    return done[2]


def test_pictures_of_the_same_kind_are_no_drift(drift, tmp_path):
    deliveries.deliver(tmp_path / "new")
    code, output, _ = drift("--json", tmp_path / "drift.json")
    assert code == 0
    assert output.startswith("No drift found (90 new pictures of 45 groups against")
    found = json.loads((tmp_path / "drift.json").read_text())
    assert (found["verdict"], found["exit_code"]) == ("no drift", 0)
    assert found["new"] == {
        "images": 90, "groups": 45, "groups_known": True, "rejected": 0, "in_records": 0
    }  # fmt: skip
    assert [found["class_shares"][name]["answers"] for name in ("red", "green")] == [1 / 3, 1 / 3]


def test_darker_pictures_are_drift(drift, tmp_path):
    deliveries.deliver(tmp_path / "new", factor=0.6)
    code, output, _ = drift("--json", tmp_path / "drift.json")
    assert code == 1
    assert output.startswith("Drift: ")
    assert "light and sharpness" in output.partition("(")[0]
    brightness = json.loads((tmp_path / "drift.json").read_text())["properties"]["brightness"]
    assert brightness["factor"] == pytest.approx(0.6, abs=0.05)
    assert brightness["p_adjusted"] <= 0.05
    assert "brightness   x 0.6" in output
    assert "the scores of the test part need not hold" in output


def test_other_shares_of_the_classes_are_drift_of_the_answers_alone(drift, tmp_path):
    deliveries.deliver(tmp_path / "new", classes=(0, 0, 0, 0, 1))
    code, output, _ = drift("--json", tmp_path / "drift.json")
    assert code == 1
    assert output.startswith("Drift: answers differ by more than chance")
    assert "probably the shares of the classes have changed" in output
    red = json.loads((tmp_path / "drift.json").read_text())["class_shares"]["red"]
    assert red["held_out"] == pytest.approx(1 / 3, abs=0.1)
    assert red["estimate"] == pytest.approx(0.8, abs=0.02)
    assert red["low"] < 0.8 < red["high"]


def test_too_few_groups_decide_nothing(drift, tmp_path):
    deliveries.deliver(tmp_path / "new", groups=1, frames=60, factor=0.3)
    code, output, _ = drift()
    assert code == 2
    assert output.startswith("Cannot decide (60 new pictures of 1 group against")
    assert "More groups are needed, not more pictures of these" in output
    deliveries.deliver(tmp_path / "few", groups=6)
    code, output, _ = drift(folder=tmp_path / "few")
    assert code == 2
    assert "10 new groups are the least with which that says something" in output


def test_without_groups_the_risk_is_stated(drift, tmp_path):
    deliveries.deliver(tmp_path / "new")
    _, output, _ = drift("--group", "none")
    assert "90 new pictures of 90 groups" in output
    assert "every new picture counts as independent" in output


def test_groups_come_from_a_pattern_folders_or_a_manifest(drift, tmp_path):
    new = deliveries.deliver(tmp_path / "new", by_class=True)
    assert "of 45 groups" in drift()[1]
    assert "of 3 groups" in drift("--group", "folder")[1]
    assert "of 2 groups" in drift("--group", r"_(\d)\.png")[1]
    names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*.png"))
    rows = pd.DataFrame({"filename": names, "group": [n // 6 for n in range(len(names))]})
    rows.to_csv(new / "manifest.csv", index=False)
    assert "of 15 groups" in drift()[1]


def test_names_without_a_group_are_an_error(drift, tmp_path):
    new = deliveries.deliver(tmp_path / "new", groups=5)
    (new / "d000_0.png").rename(new / "IMG_1.png")
    message = refused(drift())
    assert "data.group of the model: '^(d\\\\d+)_': 1 of 10 pictures do not match" in message
    assert "such as IMG_1.png. --group takes" in message
    assert "--group: not a regular expression" in refused(drift("--group", "("))
    assert "pictures lie in no folder" in refused(drift("--group", "folder"))


def test_rejected_pictures_are_listed(drift, tmp_path):
    new = deliveries.deliver(tmp_path / "new")
    (new / "d999_0.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, output, _ = drift("--rejects", tmp_path / "rejects.csv")
    assert code == 0
    assert "1 picture rejected; --rejects lists them." in output
    table = pd.read_csv(tmp_path / "rejects.csv")
    assert table["file"].tolist() == [str(new / "d999_0.png")]
    for path in new.glob("d[01]*"):
        path.unlink()
    assert "every picture is rejected (1), such as" in refused(drift())


def test_pictures_of_the_records_are_counted(drift, coloured_project):
    _, output, _ = drift(folder=coloured_project / "data/raw")
    assert "240 new pictures are already in the records" in output


def test_what_to_label_first_is_a_manifest_for_the_pipeline(drift, tmp_path):
    new = deliveries.deliver(tmp_path / "new")
    _, output, _ = drift("--label-first", 12)
    assert f"written: {new}/label_first.csv (12 pictures to label first)" in output
    path = (new / "label_first.csv").rename(new / "manifest.csv")
    table = pd.read_csv(path)
    assert list(table) == ["filename", "label", "proposal", "confidence", "novelty"]
    assert len(table) == table["filename"].nunique() == 12
    assert table["label"].isna().all()
    scanned = new, None, groups.Grouping(deliveries.PATTERN, False), None
    with pytest.raises(BadData, match=r"row 2, label: empty; .* the model proposes '(red|gr|bl)"):
        sources.scan(*scanned)
    deliveries.labelled(path)
    entries = sources.scan(*scanned).entries
    proposals = table.set_index("filename")["proposal"].to_dict()
    assert {one.filename: one.class_name for one in entries} == proposals
    assert {one.group for one in entries} == {name[:4] for name in table["filename"]}


def test_a_manifest_above_the_folder_holds_the_groups(drift, tmp_path):
    deliveries.deliver(tmp_path / "new", by_class=True)
    path = tmp_path / "manifest.csv"
    drift("--group", "folder", "--label-first", 3, "--output", path)
    table = pd.read_csv(path)
    assert all((tmp_path / name).exists() for name in table["filename"])
    assert set(table["group"]) <= {"red", "green", "blue"}


def test_a_manifest_is_not_replaced_unasked(drift, tmp_path):
    new = deliveries.deliver(tmp_path / "new")
    path = tmp_path / "list.csv"
    path.write_text("mine")
    options = ("--label-first", 2, "--output", path)
    assert f"{path}: exists. --force replaces it" in refused(drift(*options))
    assert path.read_text() == "mine"
    drift(*options, "--force")
    assert len(pd.read_csv(path)) == 2
    elsewhere = tmp_path / "elsewhere" / "list.csv"
    elsewhere.parent.mkdir()
    assert (
        "must lie in a folder above all pictures"
        in drift("--label-first", 2, "--output", elsewhere)[2]
    )
    assert not (new / "label_first.csv").exists()


def test_known_pictures_need_no_label(drift, tmp_path, coloured_project):
    new = deliveries.deliver(tmp_path / "new")
    for old in sorted((coloured_project / "data/raw/red").glob("*"))[:20]:
        (new / f"d9{old.name[1:]}").write_bytes(old.read_bytes())
    _, output, _ = drift("--label-first", 200)
    assert "20 new pictures are already in the records" in output
    names = pd.read_csv(new / "label_first.csv")["filename"]
    assert len(names) == 90
    assert not names.str.startswith("d9").any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--alpha", 2), "--alpha: must be above 0 and below 1, got 2"),
        (("--label-first", 0), "--label-first: must be 1 or more, got 0"),
        (("--output", "a.csv"), "--output: names the manifest of --label-first N"),
        (("--json", "exported/x.json"), "--json exported/x.json: must lie outside of exported"),
        (("--json", "x", "--rejects", "x"), "--rejects x: is also --json"),
        (("--model", "nowhere"), "nowhere/model.json: no such file"),
    ],
)
def test_wrong_options_are_refused(drift, tmp_path, options, message):
    deliveries.deliver(tmp_path / "new", groups=2)
    assert message in refused(drift(*options))


def test_a_missing_or_empty_folder_is_an_error(drift, tmp_path):
    assert f"{tmp_path}/new: no such folder." in refused(drift())
    (tmp_path / "new").mkdir()
    assert "no picture, 0 other files." in refused(drift())
    (tmp_path / "new" / "notes.txt").write_text("none yet")
    assert "no picture, 1 other file." in refused(drift())


def test_the_page_fits_a_narrow_window_and_shows_pictures(drift, tmp_path, page_at):
    deliveries.deliver(tmp_path / "new", factor=0.6)
    drift("--pictures", 12)
    page = (tmp_path / "drift.html").read_text("utf-8")
    assert page.count("data:image/jpeg") == 12
    opened = page_at(tmp_path / "drift.html", 400)
    found = opened.result(browser.WIDTH)
    assert (found["wide"], opened.requests, opened.console) == ([], [], [])
    assert found["page"] <= found["inner"] == 400


def test_two_runs_agree_and_need_no_tensorflow(coloured_project, tmp_path):
    deliveries.deliver(tmp_path / "new", groups=12)
    code = (
        "import sys; from trackbed import cli; cli.main(sys.argv[1:]); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    pages = []
    for name in ("a", "b"):
        options = ["--html", tmp_path / f"{name}.html", "--json", tmp_path / f"{name}.json"]
        done = subprocess.run(
            [sys.executable, "-c", code, "drift", tmp_path / "new", *options],
            cwd=coloured_project,
            env=os.environ | {"PYTHONPATH": str(STAGES)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        pages.append([(tmp_path / f"{name}.{end}").read_bytes() for end in ("html", "json")])
    assert pages[0] == pages[1]


def test_the_model_of_another_training_is_refused(drift, coloured_project, tmp_path):
    deliveries.deliver(tmp_path / "new")
    path = coloured_project / "models/model.keras"
    before = path.read_bytes() if path.exists() else None
    path.write_bytes(b"of another training")
    try:
        assert "another model than models/model.keras" in refused(drift())
    finally:
        path.unlink()
        if before is not None:
            path.write_bytes(before)
