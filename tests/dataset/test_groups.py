import pandas as pd
import pytest
from indexes import DRIVES_OF_JOINING

from trackbed.dataset import groups
from trackbed.dataset.groups import Grouping
from trackbed.dataset.schema import Entry, Found
from trackbed.pipeline.errors import UserError
from trackbed.splitting import joining


def found(*rows, has_groups=False):
    """Files with class and what the manifest says about their group."""
    entries = [Entry(name, class_name, "", group, None) for name, class_name, group in rows]
    return Found(entries, {"A", "B"}, has_groups=has_groups)


DRIVES = found(
    ("A/drive1_07.png", "A", ""), ("B/drive1_08.png", "B", ""), ("B/drive2/drive22_1.png", "B", "")
)


def names_of_groups(found, pattern=None, per_class=False):
    return [entry.group for entry in groups.named_groups(found, Grouping(pattern, per_class))]


def test_the_first_bracket_of_the_pattern_is_the_group():
    assert names_of_groups(DRIVES, r"(drive\d+)_(\d+)") == ["drive1", "drive1", "drive22"]


def test_the_whole_match_is_the_group_where_there_is_no_bracket():
    assert names_of_groups(DRIVES, r"\d+(?=_)") == ["1", "1", "22"]


def test_groups_per_class():
    assert names_of_groups(DRIVES, r"^drive\d+", per_class=True) == [
        "A/drive1",
        "B/drive1",
        "B/drive22",
    ]


def test_without_a_pattern_every_file_is_alone():
    assert names_of_groups(DRIVES) == [entry.filename for entry in DRIVES.entries]
    assert names_of_groups(DRIVES, per_class=True) == [entry.filename for entry in DRIVES.entries]


def test_the_column_of_a_manifest():
    manifest = found(("a.png", "A", "walk"), ("b.png", "B", "walk"), ("c.png", "B", ""))
    assert names_of_groups(manifest) == ["walk", "walk", "c.png"]
    assert names_of_groups(manifest, per_class=True) == ["A/walk", "B/walk", "c.png"]


def test_the_folders_below_the_class_folder():
    files = found(("A/x/1.png", "A", ""), ("A/x/y/1.png", "A", ""), ("B/x/2.png", "B", ""))
    assert names_of_groups(files, "folder") == ["x", "x/y", "x"]
    assert names_of_groups(files, "folder", per_class=True) == ["A/x", "A/x/y", "B/x"]
    named = found(("walk/1.png", "A", ""), ("walk/2.png", "B", ""))  # of a manifest
    assert names_of_groups(named, "folder") == ["walk", "walk"]
    entry = Entry("train/A/x/1.png", "A", "train", "", None)
    assert names_of_groups(Found([entry], {"A"}), "folder") == ["x"]


def test_pictures_in_no_folder_of_their_own_are_refused():
    files = found(("A/x/1.png", "A", ""), ("A/2.png", "A", ""), ("B/3.png", "B", ""))
    with pytest.raises(UserError, match=r"'folder', but 2 of 3 .* such as A/2.png, B/3.png\. Put"):
        names_of_groups(files, "folder")


def test_a_pattern_beside_a_group_column_is_refused():
    with pytest.raises(UserError, match=r"data.group: the manifest has a column 'group'"):
        names_of_groups(found(("a.png", "A", "x"), has_groups=True), "a")


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(UserError, match=r"data.group: not a regular expression \(.*\), got '\(a'"):
        names_of_groups(DRIVES, "(a")


@pytest.mark.parametrize("pattern", [r"^drive22", r"drive22|drive(x)?", r"(22)?"])
def test_a_pattern_that_does_not_match_every_file_is_refused(pattern):
    with pytest.raises(
        UserError, match=r"does not match \d of 3 file names, such as drive1_07.png"
    ):
        names_of_groups(DRIVES, pattern)


def test_files_without_a_match_are_counted():
    files = found(*[(f"A/{name}.png", "A", "") for name in "vwxyz"])
    with pytest.raises(
        UserError, match=r"4 of 5 file names, such as v.png, w.png, x.png. Use a pattern"
    ):
        names_of_groups(files, "z")


def counted(rows, near=4, consecutive=None):
    return groups.counts(joining.join_groups(rows, near, consecutive)[0], near, consecutive)


def test_the_counts_by_hand():
    assert counted(DRIVES_OF_JOINING, 1) == {
        **{"groups": 1, "joined_groups": 1, "joined_images": 6, "largest_group": 6},
        **{"joined_named_groups": 2, "large_groups": 0},
        **{"near_in_train_and_test": 0, "groups_known": 1},
        **{"official_validation": 0, "near_in_train_and_validation": 0},
    }


def test_near_duplicates_across_official_parts_are_counted():
    parts = DRIVES_OF_JOINING.assign(part=["train", "train", "test", "test", "train", "train"])
    assert counted(parts)["near_in_train_and_test"] == 2  # b1 like a2, b2 like c1
    assert counted(parts, 0)["near_in_train_and_test"] == 0
    assert counted(parts, None)["near_in_train_and_test"] is None
    validating = parts.assign(part=parts["part"].replace("test", "validation"))
    counts = counted(validating)
    assert (counts["official_validation"], counts["near_in_train_and_validation"]) == (2, 2)
    assert counts["near_in_train_and_test"] == 0


@pytest.mark.parametrize(("consecutive", "known"), [(None, 0), (16, 1)])
def test_groups_are_known_by_name_or_by_order(consecutive, known):
    alone = DRIVES_OF_JOINING.assign(group=DRIVES_OF_JOINING["filename"])
    assert counted(alone, 4, consecutive)["groups_known"] == known


def classes(**sizes):
    """An index whose classes have groups of these sizes."""
    rows = [
        (name, f"{name}{number}", f"{name}{number}")
        for name, some in sizes.items()
        for number, size in enumerate(some)
        for _ in range(size)
    ]
    return pd.DataFrame(rows, columns=["class_name", "group", "named_group"])


@pytest.mark.parametrize(
    ("sizes", "large"),
    [
        ([60, *[1] * 940], 1),  # 6 % of a class of single images
        ([50, *[1] * 950], 0),  # 5 %
        ([30] * 7, 0),  # all as large: the class has few groups
        ([30] * 10 + [90], 1),
        ([30, *[1] * 30], 1),
        ([6, *[1] * 30], 0),  # few images
        ([100], 0),  # one group: folds refuse it
    ],
)
def test_groups_that_hold_much_of_a_class(sizes, large):
    table = classes(A=sizes, B=[1] * 200)
    assert len(groups.large_groups(table)) == large
    assert bool(groups.large_group_warning(groups.large_groups(table))) == bool(large)


def test_the_warning_about_large_groups():
    table = classes(A=[60, *[1] * 40], B=[20, *[1] * 80])
    table.loc[table["group"] == "B0", "named_group"] = [f"B0/{n}" for n in range(20)]
    warning = groups.large_group_warning(groups.large_groups(table))
    assert "A0 with 60% of class A (60 of 100 images); B0 with 20% of class B (20" in warning
    assert "joined from 20 groups" in warning
    assert "joins.csv" in warning
    named = groups.large_group_warning(groups.large_groups(classes(A=[60, *[1] * 40])))
    assert "joins.csv" not in named
    many = classes(**{name: [60, *[1] * 40] for name in "ABCDE"})
    assert "; 2 more (data/groups/large_groups.csv). A group" in groups.large_group_warning(
        groups.large_groups(many)
    )
