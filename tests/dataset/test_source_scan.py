import dataclasses
import os
import re
import socket

import numpy as np
import pytest
from PIL import Image
from project import draw

from trackbed.dataset import folders, groups, source_scan
from trackbed.pictures.rejections import Limits
from trackbed.pipeline.errors import UserError

LIMITS = Limits(10_000)
SETTINGS = source_scan.Settings(LIMITS)


@pytest.fixture
def source(tmp_path):
    """12 pictures in 3 classes."""
    return draw(tmp_path / "raw", groups=2)


def scan(folder, workers=1, **changes):
    return source_scan.scan(folder, dataclasses.replace(SETTINGS, **changes), workers)


def test_a_clean_folder_is_fine(source):
    result = scan(source)
    assert result.is_fine()
    assert result.files == result.counts["accepted"] == 12
    assert result.table().empty


def test_every_problem_has_its_row(source):
    (source / "GRAS/link.png").symlink_to("000_0.png")
    (source / "GRAS/cut.png").write_bytes(b"")
    (source / "GRAS/.hidden").touch()
    result = scan(source)
    assert not result.is_fine()
    rows = result.table()[["filename", "outcome", "reason"]].to_numpy().tolist()
    assert rows == [
        ["GRAS/link.png", "hazard", "symbolic link"],
        ["GRAS/cut.png", "rejected", "empty"],
        ["GRAS/link.png", "rejected", "not a regular file"],
        ["GRAS/.hidden", "ignored", ""],
    ]


def test_what_the_build_lists_of_files_is_a_note(source):
    for number, grey in enumerate((900, 1023)):
        deep = np.full((20, 24), grey, np.uint16)
        deep[0] = number
        Image.fromarray(deep).save(source / f"GRAS/deep{number}.png")
    frames = [Image.new("RGB", (24, 20), colour) for colour in ("red", "blue")]
    frames[0].save(source / "GRAS/film.gif", save_all=True, append_images=frames[1:])
    pages, white = scan(source).notes
    assert pages == "several pages: 1 of the files, such as GRAS/film.gif: the first of 2 is used"
    assert white.startswith("value of white: no value is above 1,023 in any of 2 16-bit pictures")


def test_without_workers_no_picture_is_opened(source):
    (source / "GRAS/cut.png").write_bytes(b"")
    result = scan(source, workers=None)
    assert result.is_fine()
    assert result.counts == {}


def test_contradicting_pictures_are_rejected(source):
    Image.open(source / "GRAS/000_0.png").save(source / "STONE/same.bmp")
    rejects = scan(source).rejects
    assert sorted(rejects["filename"]) == ["GRAS/000_0.png", "STONE/same.bmp"]
    assert set(rejects["reason"]) == {"also in another class"}


def test_a_folder_of_one_class_is_refused_as_a_source(tmp_path):
    draw(tmp_path / "raw", groups=1, classes=("GRAS",))
    result = scan(tmp_path / "raw")
    assert "a single class" in result.build_problems[0]
    assert not result.is_fine()


def test_all_that_stops_the_build_is_found_at_once(source):
    (source / "new").mkdir()
    (source / "GRAS ").mkdir()
    draw(source, groups=2, classes=("gras",))
    for path in (source / "BALLAST").iterdir():
        path.write_bytes(b"")
    problems = scan(source).build_problems
    assert [re.sub(".*raw: ", "", one)[:40] for one in problems] == [
        "the class 'GRAS ' has an unusable name: ",
        "the classes 'GRAS' and 'gras' differ in ",
        "no picture of class 'new'.",
        "4 of 16 files (25.0%) are rejected, data",
        "all pictures of BALLAST are rejected: em",
    ]


def test_the_split_is_tried(source):
    def split(table):
        raise UserError(f"{table.groupby('class_name')['group'].nunique().to_dict()}")

    drives = groups.Grouping(r"^(\d+)_", True)
    for frame in "01":
        (source / f"GRAS/000_{frame}.png").write_bytes(b"")
    for workers, gras in ((1, 1), (None, 2)):
        result = scan(source, grouping=drives, max_rejects=1, split=split, workers=workers)
        assert result.split_problems == [f"{{'BALLAST': 2, 'GRAS': {gras}, 'STONE': 2}}"]
        assert result.build_problems == []
        assert not result.is_fine()


def test_single_rejected_files_stop_nothing(source):
    (source / "GRAS/cut.png").write_bytes(b"")
    result = scan(source, max_rejects=0.08)
    assert result.is_fine()
    assert len(result.rejects) == 1
    assert not scan(source, max_rejects=0.07).is_fine()


def test_conflicts_stop_a_build_that_must_fail_on_them(source):
    Image.open(source / "GRAS/000_0.png").save(source / "STONE/same.bmp")
    assert scan(source, max_rejects=0.2).build_problems == []
    problems = scan(source, on_conflict="fail").build_problems
    assert "2 pictures are in two classes or parts" in problems[0]


def test_a_class_without_files_in_one_part_is_no_hazard(tmp_path):
    draw(tmp_path / "train", groups=1)
    draw(tmp_path / "test", groups=1, classes=("GRAS", "STONE"))
    (tmp_path / "test/BALLAST").mkdir()
    assert source_scan.hazards(tmp_path, folders.walk(tmp_path)) == []


def test_sockets_and_a_linked_root_are_hazards(source, monkeypatch):
    monkeypatch.chdir(source / "GRAS")  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    link = source.parent / "link"
    link.symlink_to(source)
    found = source_scan.hazards(link, folders.walk(link))
    assert [(one.filename, one.reason) for one in found] == [
        (".", "symbolic link"),
        ("GRAS/socket", "socket"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_a_hazard(source):
    (source / "GRAS/000_0.png").chmod(0)
    found = source_scan.hazards(source, folders.walk(source))
    assert [(one.filename, one.reason) for one in found] == [("GRAS/000_0.png", "unreadable")]
