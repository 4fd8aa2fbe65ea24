"""`trackbed manifest`; what a manifest says of each picture is in tests/dataset."""

import csv
from pathlib import Path

import pytest
from official_gtsrb import TEST, TRAINING, write_official
from PIL import Image
from program import trackbed

from trackbed.dataset import sources
from trackbed.dataset.sources import Grouping

STAGES = Path(__file__).parents[2] / "stages"


@pytest.fixture
def official(tmp_path):
    return write_official(tmp_path)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refusal(done):
    """The one line of a command that ended with exit code 2."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_the_manifest_of_the_official_folders(official):
    done = trackbed("manifest", "gtsrb", official)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{official}/manifest.csv: 15 rows, 3 classes",
        "part train: 12 pictures in 6 tracks",
        "part test: 3 pictures, each alone",
    ]
    table = rows(official / "manifest.csv")
    assert table[0] == {
        "filename": f"{TEST}/00000.ppm",
        **{"label": "42", "part": "test", "group": ""},
        **{"left": "6", "top": "5", "right": "26", "bottom": "25"},
        **{"width": "31", "height": "30"},
    }
    assert table[5]["filename"] == f"{TRAINING}/00000/00001_00000.ppm"
    assert [table[5][column] for column in ("label", "part", "group")] == [
        *("00", "train", "00/00001")
    ]
    listing = sources.scan(official, None, Grouping(None, False))
    assert len(listing.entries) == 15
    assert len({entry.group for entry in listing.entries}) == 6 + 3


def test_boxes_can_be_left_out(official):
    assert trackbed("manifest", "gtsrb", official, "--no-boxes").returncode == 0
    table = rows(official / "manifest.csv")
    assert {tuple(row[name] for name in ("left", "bottom", "width")) for row in table} == {
        ("", "", "")
    }
    assert all(e.box is None for e in sources.scan(official, None, Grouping(None, False)).entries)


def test_pictures_that_were_resized_are_reported(official):
    for path in official.rglob("*.ppm"):
        with Image.open(path) as picture:
            square = picture.resize((64, 32))
        square.save(path)
    done = trackbed("manifest", "gtsrb", official)
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("another size than annotated: 15 of 15 pictures, 15 of them another")
    assert "64 x 32 for 31 x 30 pixels" in last
    assert "data.boxes is stretch; --no-boxes leaves" in last
    without = trackbed("manifest", "gtsrb", official, "--no-boxes", "--force")
    assert "another size" not in without.stdout


def test_the_same_folders_give_the_same_bytes(official):
    trackbed("manifest", "gtsrb", official)
    first = (official / "manifest.csv").read_bytes()
    assert trackbed("manifest", "gtsrb", official, "--force").returncode == 0
    assert (official / "manifest.csv").read_bytes() == first


def test_names_are_relative_to_the_folder_of_the_manifest(official):
    done = trackbed("manifest", "gtsrb", TRAINING, "--output", "manifest.csv", folder=official)
    assert done.stdout.splitlines() == [
        "manifest.csv: 12 rows, 3 classes",
        "part (empty): 12 pictures in 6 tracks",
    ]
    table = rows(official / "manifest.csv")
    assert table[0]["filename"] == f"{TRAINING}/00000/00000_00000.ppm"
    assert {row["part"] for row in table} == {""}
    assert len(sources.scan(official, None, Grouping(None, False)).entries) == 12
    inside = official / TRAINING / "manifest.csv"
    assert trackbed("manifest", "gtsrb", official / TRAINING).returncode == 0
    assert rows(inside)[0]["filename"] == "00000/00000_00000.ppm"


def test_a_manifest_below_its_pictures_is_refused(official):
    before = names(official)
    output = official / TRAINING / "manifest.csv"
    message = refusal(trackbed("manifest", "gtsrb", official, "--output", output))
    assert f"{output}: must lie in a folder above all pictures" in message
    missing = official / "new" / "manifest.csv"
    assert "above all pictures" in refusal(
        trackbed("manifest", "gtsrb", official, "--output", missing)
    )
    assert names(official) == before


def test_an_existing_manifest_stays_unless_forced(official):
    path = official / "manifest.csv"
    path.write_text("mine")
    assert "exists already. Use --force" in refusal(trackbed("manifest", "gtsrb", official))
    assert path.read_text() == "mine"
    # Even forced, a refusal leaves it.
    (official / TRAINING / "00007" / "00000_00000.ppm").unlink()
    message = refusal(trackbed("manifest", "gtsrb", official, "--force"))
    assert "row 2 '00000_00000.ppm'" in message
    assert path.read_text() == "mine"


def test_a_folder_is_never_replaced(official):
    before = names(official)
    done = trackbed("manifest", "gtsrb", official, "--force", "--output", official)
    assert "a folder; --output names a file" in refusal(done)
    assert names(official) == before


def test_pictures_without_a_row_are_listed(official):
    (official / TRAINING / "00000" / "00009_00000.ppm").touch()
    done = trackbed("manifest", "gtsrb", official)
    assert done.stdout.splitlines()[-1] == (
        f"left out, pictures without a row: 1, such as {TRAINING}/00000/00009_00000.ppm"
    )


def test_folders_that_are_not_there(official):
    assert refusal(trackbed("manifest", "gtsrb", "nowhere")) == (
        "trackbed: nowhere: no such folder.\n"
    )
    file = official / TEST / "00000.ppm"
    assert "00000.ppm: not a folder." in refusal(trackbed("manifest", "gtsrb", file))
    assert "no GT-*.csv in it" in refusal(trackbed("manifest", "gtsrb", STAGES / "trackbed"))
