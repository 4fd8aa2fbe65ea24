import csv

import numpy as np
import pytest
from official_gtsrb import HEADER, SIGN, TEST, TRAINING, write_official, write_training

from trackbed.dataset import folders, gtsrb, images, manifest_csv, sources
from trackbed.dataset.sources import Grouping
from trackbed.pictures.rejections import Limits
from trackbed.pipeline.errors import UserError
from trackbed.records import resizing


@pytest.fixture
def official(tmp_path):
    return write_official(tmp_path)


def read(folder):
    return gtsrb.read(folder, folders.walk(folder))


def refused(folder):
    with pytest.raises(UserError) as caught:
        read(folder)
    return str(caught.value)


def change(path, old, new):
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


def test_classes_parts_and_tracks(official):
    found = read(official)
    training = [e for e in found.entries if e.part == "train"]
    assert (len(found.entries), len(training), found.ignored) == (15, 12, [])
    assert found.classes == {"00", "07", "42"}
    assert sorted({e.group for e in training}) == [
        *("00/00000", "00/00001", "07/00000", "07/00001", "42/00000", "42/00001")
    ]
    tests = [(e.filename, e.class_name, e.group) for e in found.entries if e.part == "test"]
    assert tests == [
        (f"{TEST}/00000.ppm", "42", ""),
        (f"{TEST}/00001.ppm", "00", ""),
        (f"{TEST}/00002.ppm", "07", ""),
    ]


def test_the_pipeline_crops_exactly_the_sign(official):
    found = read(official)
    path = official / "manifest.csv"
    path.write_text(manifest_csv.text(found.entries, ".", path))
    listing = sources.scan(official, None, Grouping(None, False))
    assert listing.classes == ["00", "07", "42"]
    assert sorted(map(str, {e.group for e in listing.entries if e.part == "test"})) == [
        *(f"{TEST}/00000.ppm", f"{TEST}/00001.ppm", f"{TEST}/00002.ppm")
    ]
    for entry in listing.entries:
        picture = images.load(entry, Limits(10_000))
        pixels = np.asarray(
            resizing.decoded(picture.data, picture.encoding, picture.height, picture.width)
        )
        frame = {"00000_00000": 10, "00000_00001": 11, "00001_00000": 12, "00001_00001": 13}
        side = frame.get(entry.path.stem, 20)
        assert pixels.shape == (side, side, 3)
        # One row or column of the black border would show.
        assert (pixels == SIGN[int(entry.class_name)]).all()


def test_the_borders_of_real_rows_are_as_documented():
    # Rows of the official files; the Readme promises a border of at least 5 pixels.
    rows = "00000_00001.ppm;30;30;5;5;25;25;0\n00000_00018.ppm;50;48;5;5;45;43;0"
    for row, (width, height) in zip(
        gtsrb.parsed(f"{HEADER}\n{rows}", "x"), [(30, 30), (50, 48)], strict=True
    ):
        left, top, right, bottom = row.box
        assert (left, top, width - right, height - bottom) == (5, 5, 5, 5)


@pytest.mark.parametrize("place", ["GT-final_test.csv", "GTSRB_Final_Test_GT/GT-final_test.csv"])
def test_the_classes_of_the_test_part_may_lie_elsewhere(official, place):
    expected = read(official).entries
    (official / place).parent.mkdir(exist_ok=True)
    (official / TEST / "GT-final_test.csv").rename(official / place)
    assert read(official).entries == expected


def test_two_copies_of_the_test_classes_must_agree(official):
    expected = read(official).entries
    copy = official / "GT-final_test.csv"
    copy.write_bytes((official / TEST / copy.name).read_bytes())
    assert read(official).entries == expected
    change(copy, "26;25;42", "26;25;41")
    assert f"GT-final_test.csv and {TEST}/GT-final_test.csv differ" in refused(official)


def test_training_alone_has_no_part(official):
    found = read(official / TRAINING)
    assert {e.part for e in found.entries} == {""}
    assert found.entries[0].filename == "00000/00000_00000.ppm"
    single = read(official / TRAINING / "00007")
    assert [e.group for e in single.entries] == ["07/00000"] * 2 + ["07/00001"] * 2


def test_pictures_without_a_row_are_left_out(official):
    (official / TRAINING / "00000" / "00009_00000.ppm").touch()
    (official / TRAINING / "Readme.txt").touch()
    found = read(official)
    assert found.ignored == [f"{TRAINING}/00000/00009_00000.ppm"]
    assert len(found.entries) == 15


def test_what_a_mac_leaves_in_an_archive_is_no_annotation(official):
    (official / "__MACOSX/GTSRB").mkdir(parents=True)
    (official / "__MACOSX/GTSRB/GT-00000.csv").write_bytes(b"\0\5\x16\7")
    assert len(read(official).entries) == 15


def test_test_classes_that_are_missing(official):
    (official / TEST / "GT-final_test.csv").unlink()
    message = refused(official)
    assert f"{TEST}/GT-final_test.test.csv: has no ClassId. Put" in message
    assert "Put GT-final_test.csv beside it" in message


def test_test_pictures_that_are_missing(official):
    (official / TEST).rename(official / "signs")
    (official / "signs" / "GT-final_test.csv").rename(official / "GT-final_test.csv")
    assert "the test pictures do not lie beside it, and there is no Final_Test" in refused(official)
    for name in ("a", "b"):
        (official / name / "Final_Test/Images").mkdir(parents=True)
    assert "but in a/Final_Test/Images and b/Final_Test/Images" in refused(official)


def test_other_folders(official, tmp_path):
    assert f"{TEST}: test pictures alone" in refused(official / TEST)
    (tmp_path / "empty").mkdir()
    assert "empty: no GT-*.csv in it. Name a folder above" in refused(tmp_path / "empty")


def test_a_second_copy_of_the_training_part(official):
    write_training(official / "GTSRB/Training", 7)
    message = refused(official)
    assert f"{TRAINING}/00007/GT-00007.csv and GTSRB/Training/00007/GT-00007.csv" in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("00001_00000.ppm", "00008_00000.ppm", "1 of 4 rows name no file in "),
        ("00001_00000.ppm", "00008_00000.ppm", "row 4 '00008_00000.ppm'"),
        ("00001_00000.ppm", "00000_00001.ppm", "row 4: '00000_00001.ppm' again, as in row 3."),
        ("00001_00000.ppm", "../x.ppm", "row 4, Filename: must be a file name without folder"),
        ("00001_00000.ppm;23", "00001_00000.ppm;2x", "row 4, Width: must be a whole number"),
        ("18;17;7", "18.5;17;7", "row 4, Roi.X2: must be a whole number, got '18.5'."),
        ("18;17;7", "24;17;7", "row 4: no box within 23 x 22 pixels, got 6,5 to 24,17."),
        ("18;17;7", "18;23;7", "no box within 23 x 22 pixels, got 6,5 to 18,23."),
        ("18;17;7", "6;17;7", "got 6,5 to 6,17."),
        ("6;5;18;17;7", "-1;5;18;17;7", "got -1,5 to 18,17."),
        ("18;17;7", "18;17;8", "row 4, ClassId: is 8, but the folder is 00007."),
        ("18;17;7", "18;17;43", "row 4, ClassId: must be from 0 to 42, got 43."),
        ("18;17;7", "18;17", "row 4: 7 cells, the header has 8."),
        (";ClassId", "", "GT-00007.csv: column ClassId is missing; there is Filename, Width"),
        ("Roi.X1;Roi.Y1", "x;y", "column Roi.X1, Roi.Y1 is missing; there is Filename"),
        (HEADER, HEADER.replace(";", ","), "separated by semicolons, got 'Filename,Width"),
    ],
)
def test_rows_and_columns_that_are_wrong(official, old, new, message):
    path = official / TRAINING / "00007" / "GT-00007.csv"
    change(path, old, new)
    text = refused(official)
    assert message in text
    assert text.startswith(str(path))


def test_whole_numbers_with_a_decimal_point(official):
    expected = gtsrb.read(official, folders.walk(official)).entries
    for new in ("18.0;17.00;7.0", " 18 ;17;7", "18,0;1.7e1;7"):
        path = official / TRAINING / "00007" / "GT-00007.csv"
        before = path.read_bytes()
        change(path, "18;17;7", new)
        assert gtsrb.read(official, folders.walk(official)).entries == expected
        path.write_bytes(before)


def test_files_that_are_no_tables(official):
    path = official / TRAINING / "00007" / "GT-00007.csv"
    path.write_bytes(b"")
    assert "column Filename, Width" in refused(official)
    path.write_text(HEADER)
    assert "no row below the header" in refused(official)
    path.write_bytes(b"\xff\xfe\0")
    assert "not UTF-8" in refused(official)
    path.unlink()
    path.symlink_to(official / TRAINING / "00000/GT-00000.csv")
    assert "not a regular file" in refused(official)


def test_training_names_must_tell_the_track(official):
    folder = official / TRAINING / "00007"
    (folder / "00001_00000.ppm").rename(folder / "00003.ppm")
    change(folder / "GT-00007.csv", "00001_00000.ppm", "00003.ppm")
    assert "row 4, Filename: must be <track>_<frame>.ppm, got '00003.ppm'" in refused(official)


def test_names_that_need_quotes_or_are_impossible(official, tmp_path):
    entries = read(official).entries[:1]
    (row,) = csv.DictReader(manifest_csv.text(entries, 'a, "b"', tmp_path / "m.csv").splitlines())
    assert row["filename"] == f'a, "b"/{entries[0].filename}'
    for prefix in ("a\nb", "a\\b", "a\udcff"):
        with pytest.raises(UserError, match=r"m.csv: cannot name 'a.*Rename"):
            manifest_csv.text(entries, prefix, tmp_path / "m.csv")
