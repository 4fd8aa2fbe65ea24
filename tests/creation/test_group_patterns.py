from pathlib import Path

import pytest
from creation_listing import drives, listing

from trackbed.creation import group_patterns
from trackbed.dataset.schema import Entry, Listing


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("drive{g}_{f:03}.jpg", "^([^_]+)_"),
        ("{g}-{f}.png", "^([^-]+)-"),
        ("drive {g} frame {f}.png", r"^(.+) [A-Za-z]*\d+\."),
        ("site_{g}_img{f:04}.jpeg", r"^(.+)_[A-Za-z]*\d+\."),
        ("cam.{g}.{f}.jpg", r"^(.+)\.[A-Za-z]*\d+\."),
        ("{g}_frame{f}_left.jpg", "^([^_]+)_"),
    ],
)
def test_names_of_drives_and_frames_suggest_a_pattern(name, pattern):
    found = group_patterns.proposed(drives(name))
    assert found.grouping.pattern == pattern
    assert not found.grouping.per_class
    assert (found.groups, found.images) == (8, 24)
    assert len(found.example()[1]) == 3


@pytest.mark.parametrize(
    "name",
    [
        "{g}{f}.jpg",  # numbers alone
        "img_{g}{f}.jpg",  # one group
        "{c}_{g}{f}.jpg",  # a group per class
        "{g}{f}_x.jpg",  # every picture alone
    ],
)
def test_other_names_suggest_nothing(name):
    assert group_patterns.proposed(drives(name)) is None


def test_a_name_without_the_sign_ends_the_suggestion():
    names = [one.filename for one in drives("{g}_{f}.jpg").entries]
    assert group_patterns.proposed(listing([*names, "A/other.jpg"])) is None


def test_tracks_that_begin_anew_in_every_class_are_counted_per_class():
    found = group_patterns.proposed(drives("{n:05}_{f:05}.png"))
    assert found.grouping.per_class
    assert found.groups == 8
    assert "A/00000" in found.members


def test_a_drive_through_several_classes_stays_one_group():
    names = [
        f"{'AB'[(drive + frame) % 2]}/{drive}_{frame}.jpg"
        for drive in range(6)
        for frame in range(4)
    ]
    found = group_patterns.proposed(listing(names))
    assert not found.grouping.per_class
    assert found.groups == 6


def test_two_boxes_in_one_picture_are_no_restart():
    names = [f"{drive}_{frame}.jpg" for drive in range(4) for frame in range(3)]
    entries = [Entry(name, c, "", name, Path(name)) for name in names for c in "AB"]
    found = group_patterns.proposed(Listing(entries, ["A", "B"], [], []))
    assert not found.grouping.per_class


def test_folders_below_the_class_folders_are_groups():
    names = [f"{c}/{drive}/{frame}.jpg" for c in "AB" for drive in "xyz" for frame in range(2)]
    entries = [Entry(name, name[0], "", name, Path(name), folder=name[0]) for name in names]
    found = group_patterns.proposed(Listing(entries, ["A", "B"], [], []))
    assert found.grouping.pattern == "folder"


def test_groups_in_training_and_test_are_not_proposed():
    train, test = (
        [f"{part}/{one.filename}" for one in drives("{g}_{f}.jpg").entries]
        for part in ("train", "test")
    )
    assert group_patterns.proposed(listing(train)).groups == 8
    assert group_patterns.proposed(listing([*train, *test])) is None


def test_the_groups_of_a_manifest_are_counted():
    entries = [Entry(f"{n}.jpg", "A", "", f"drive{n % 3}", Path(f"{n}.jpg")) for n in range(9)]
    assert group_patterns.manifest_groups(Listing(entries, ["A"], [], [])) == 3
    assert group_patterns.manifest_groups(listing(["A/1.jpg", "A/2.jpg"])) == 0


def test_real_tracks_of_traffic_signs(photographs):
    from trackbed.dataset import sources
    from trackbed.dataset.groups import Grouping

    found = group_patterns.proposed(
        sources.scan(photographs / "gtsrb", None, Grouping(None, False))
    )
    assert found.grouping == Grouping("^([^_]+)_", True)
    # Its README counts 888 tracks.
    assert found.groups == 888
