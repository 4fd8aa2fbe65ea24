import gzip
import os

import pytest
from PIL import Image

from trackbed.inference import inputs
from trackbed.pipeline.errors import BadData, UserError
from trackbed.records import tfrecord


def nothing():
    raise AssertionError("standard input was read")


def picture(path, colour="red"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20), colour).save(path)
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("new/10.jpg", "new/2.jpg", "new/deep/a.png", "other/x.jpg"):
        picture(tmp_path / name)
    (tmp_path / "new/notes.txt").touch()
    (tmp_path / "new/.hidden.jpg").touch()
    return tmp_path


def names(*paths, read=nothing):
    return [one.name for one in inputs.listed(paths, read).pictures]


def test_a_folder_is_searched_in_natural_order(here):
    found = inputs.listed(["new"], nothing)
    assert [one.name for one in found.pictures] == ["new/2.jpg", "new/10.jpg", "new/deep/a.png"]
    assert found.ignored == 2
    assert names("./new/") == names("new")
    assert names(str(here / "new"))[0] == str(here / "new/2.jpg")


def test_paths_stay_in_their_order_and_count_once(here):
    found = inputs.listed(["other", "new/10.jpg", "new", "other/../new/2.jpg", "other"], nothing)
    given = [one.name for one in found.pictures]
    assert given == ["other/x.jpg", "new/10.jpg", "new/2.jpg", "new/deep/a.png"]
    assert found.repeated == 3


def test_a_pattern_is_expanded_unless_a_file_has_its_name(here):
    assert names("new/*.jpg") == ["new/2.jpg", "new/10.jpg"]
    assert names("**/*.png") == ["new/deep/a.png"]
    picture(here / "[1].jpg")
    assert names("[1].jpg") == ["[1].jpg"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.jpg", "'missing.jpg': No such file or directory."),
        ("new/*.bmp", r"'new/\*.bmp': matches no file."),
        ("", "'': No such file"),
        ("new/2.jpg/x", "Not a directory"),
        ("mi\x1b[31mss", r"'mi\\\\x1b"),
    ],
)
def test_a_path_that_is_not_there_is_refused(here, path, message):
    with pytest.raises(UserError, match=message):
        inputs.listed(["new", path], nothing)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_names_come_from_standard_input(here, end):
    content = end.join(["new/10.jpg", "gone.jpg", "other", ""]).encode()
    found = inputs.listed(["-"], lambda: content).pictures
    assert [one.name for one in found] == ["new/10.jpg", "gone.jpg", "other/x.jpg"]
    assert [one.reason for one in found] == ["", "unreadable", ""]


def test_links_are_followed_where_they_are_named(here):
    (here / "link.jpg").symlink_to("new/2.jpg")
    (here / "folder").symlink_to("new")
    (here / "new/inside.jpg").symlink_to("2.jpg")
    found = inputs.listed(["link.jpg", "folder"], nothing)
    assert [one.name for one in found.pictures][:2] == ["link.jpg", "folder/10.jpg"]
    assert found.repeated == 1
    os.mkfifo(here / "pipe")
    (found,) = inputs.listed(["pipe"], nothing).pictures
    assert found.reason == "not a regular file"


def test_names_that_a_terminal_interprets_are_rejected(here):
    picture(here / "new/a\x1b[31m.jpg")
    last = inputs.listed(["new"], nothing).pictures[-2]
    assert (last.name, last.reason) == ("new/a\\x1b[31m.jpg", "bad name")


def test_links_that_lead_nowhere_are_rejected_in_patterns(here):
    (here / "new/gone.jpg").symlink_to("nothing")
    (here / "new/loop.jpg").symlink_to("loop.jpg")
    found = inputs.listed(["new/*.jpg"], nothing).pictures
    assert [one.name for one in found if not one.reason] == ["new/2.jpg", "new/10.jpg"]
    details = {one.name: one.detail for one in found if one.reason == "unreadable"}
    assert details == {
        "new/gone.jpg": "No such file or directory",
        "new/loop.jpg": "Too many levels of symbolic links",
    }


def test_what_the_build_has_rejected_is_no_picture(here):
    (here / "new/rejected.records").write_bytes(b"records")
    found = inputs.listed(["new"], nothing)
    assert (len(found.pictures), found.ignored) == (3, 3)


def test_further_columns_of_a_manifest_are_not_looked_at(here):
    text = "filename,weather,left,top,right,bottom\n2.jpg,rain,0,0,5,5\n"
    (found,) = inputs.listed([manifest(here / "new/list.csv", text)], nothing).pictures
    assert found.box == (0, 0, 5, 5)


def manifest(path, text):
    path.write_text(text)
    return str(path)


def test_a_manifest_needs_names_alone(here):
    found = inputs.listed([manifest(here / "boxes.csv", "filename\nnew/2.jpg\n")], nothing)
    assert [(one.name, one.box) for one in found.pictures] == [(f"{here}/new/2.jpg", None)]


def test_a_manifest_names_boxes_and_every_picture_of_its_folder(here):
    text = "filename,label,part,left,top,right,bottom,width,height\n"
    text += "10.jpg,x,holdout,1,2,11,12,20,20\n2.jpg,,,,,,,,\n10.jpg,x,,1,2,11,12,20,20\n"
    manifest(here / "new/manifest.csv", text)
    found = inputs.listed(["new"], nothing)
    assert [(one.name, one.box, one.counted_in) for one in found.pictures] == [
        ("new/10.jpg", (1, 2, 11, 12), (20, 20)),
        ("new/2.jpg", None, None),
    ]
    assert found.repeated == 1
    assert found.ignored == 3  # the picture in deep/, too
    assert found.notes == ["new/manifest.csv: says which pictures count, and their boxes"]
    assert len(names("new", "new/10.jpg")) == 3  # once cropped, once whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("filename\nnew/3.jpg\n", "1 of 1 rows name no file"),
        ("name\nnew/2.jpg\n", "unknown column 'name'"),
        ("filename,left,top,right,bottom\nnew/2.jpg,5,5,5,9\n", "row 2: left must be below"),
        ("filename\n", "no row below the header"),
    ],
)
def test_a_wrong_manifest_is_refused(here, text, message):
    with pytest.raises(BadData, match=message):
        inputs.listed([manifest(here / "m.csv", text)], nothing)


def record(**features):
    data = tfrecord.example(features)
    header, footer = tfrecord.frame(data)
    return header + data + footer


def test_records_are_found_by_the_name_or_the_content_of_their_file(here):
    content = record(image_raw=b"1") + record(image_raw=b"22")
    (here / "part-00000.tfrecord").write_bytes(content)
    (here / "records").write_bytes(content)
    (here / "packed.tfrecord.gz").write_bytes(gzip.compress(content))
    found = inputs.listed(["part-00000.tfrecord", "records", "packed.tfrecord.gz"], nothing)
    first = len(record(image_raw=b"1"))
    assert [one.record[:2] for one in found.pictures] == [(0, 0), (1, first)] * 3


def test_damaged_record_files_say_where_they_end(here):
    content = record(image_raw=b"1") + record(image_raw=b"22")
    (here / "cut.tfrecord").write_bytes(content[:-1])
    (here / "empty.tfrecord").touch()
    (here / "other.tfrecord").write_bytes(b"PK\x03\x04")
    (here / "cut.tfrecord.gz").write_bytes(gzip.compress(content)[:-9])
    paths = ["cut.tfrecord", "empty.tfrecord", "other.tfrecord", "cut.tfrecord.gz"]
    found = inputs.listed(paths, nothing).pictures
    place = len(record(image_raw=b"1"))
    assert [(one.name, one.reason, one.detail) for one in found] == [
        ("cut.tfrecord", "", ""),
        (
            "cut.tfrecord",
            "damaged",
            f"record 1: damaged or cut off at byte {place}; nothing follows it",
        ),
        ("empty.tfrecord", "empty", "holds no record"),
        (
            "other.tfrecord",
            "damaged",
            "record 0: no TFRecord but a ZIP archive; unpack or convert it; nothing follows it",
        ),
        ("cut.tfrecord.gz", "damaged", "compressed, and damaged or cut off"),
    ]
