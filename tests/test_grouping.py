import pytest

from trackbed.ingest import grouping
from trackbed.ingest.entries import Entry, Found
from trackbed.ingest.grouping import Grouping
from trackbed.problems import Problem


def found(*rows, has_groups=False):
    """Files with class and what the manifest says about their group."""
    entries = [Entry(name, class_name, "", group, None) for name, class_name, group in rows]
    return Found(entries, {"A", "B"}, has_groups=has_groups)


DRIVES = found(
    ("A/drive1_07.png", "A", ""), ("B/drive1_08.png", "B", ""), ("B/drive2/drive22_1.png", "B", "")
)


def groups(found, pattern=None, per_class=False):
    return [entry.group for entry in grouping.grouped(found, Grouping(pattern, per_class))]


def test_the_first_bracket_of_the_pattern_is_the_group():
    assert groups(DRIVES, r"(drive\d+)_(\d+)") == ["drive1", "drive1", "drive22"]


def test_the_whole_match_is_the_group_where_there_is_no_bracket():
    assert groups(DRIVES, r"\d+(?=_)") == ["1", "1", "22"]


def test_groups_per_class():
    assert groups(DRIVES, r"^drive\d+", per_class=True) == ["A/drive1", "B/drive1", "B/drive22"]


def test_without_a_pattern_every_file_is_alone():
    assert groups(DRIVES) == [entry.filename for entry in DRIVES.entries]
    assert groups(DRIVES, per_class=True) == [entry.filename for entry in DRIVES.entries]


def test_the_column_of_a_manifest():
    manifest = found(("a.png", "A", "walk"), ("b.png", "B", "walk"), ("c.png", "B", ""))
    assert groups(manifest) == ["walk", "walk", "c.png"]
    assert groups(manifest, per_class=True) == ["A/walk", "B/walk", "c.png"]


def test_the_folders_below_the_class_folder():
    files = found(("A/x/1.png", "A", ""), ("A/x/y/1.png", "A", ""), ("B/x/2.png", "B", ""))
    assert groups(files, "folder") == ["x", "x/y", "x"]
    assert groups(files, "folder", per_class=True) == ["A/x", "A/x/y", "B/x"]
    named = found(("walk/1.png", "A", ""), ("walk/2.png", "B", ""))  # of a manifest
    assert groups(named, "folder") == ["walk", "walk"]
    entry = Entry("train/A/x/1.png", "A", "train", "", None)
    assert groups(Found([entry], {"A"}), "folder") == ["x"]


def test_pictures_in_no_folder_of_their_own_are_refused():
    files = found(("A/x/1.png", "A", ""), ("A/2.png", "A", ""), ("B/3.png", "B", ""))
    with pytest.raises(Problem, match=r"'folder', but 2 of 3 .* such as A/2.png, B/3.png\. Put"):
        groups(files, "folder")


def test_a_pattern_beside_a_group_column_is_refused():
    with pytest.raises(Problem, match=r"data.group: the manifest has a column 'group'"):
        groups(found(("a.png", "A", "x"), has_groups=True), "a")


def test_a_pattern_that_is_none_is_refused():
    with pytest.raises(Problem, match=r"data.group: not a regular expression \(.*\), got '\(a'"):
        groups(DRIVES, "(a")


@pytest.mark.parametrize("pattern", [r"^drive22", r"drive22|drive(x)?", r"(22)?"])
def test_a_pattern_that_does_not_match_every_file_is_refused(pattern):
    with pytest.raises(Problem, match=r"does not match \d of 3 file names, such as drive1_07.png"):
        groups(DRIVES, pattern)


def test_four_files_without_a_match_are_counted_and_three_are_named():
    files = found(*[(f"A/{name}.png", "A", "") for name in "vwxyz"])
    with pytest.raises(Problem, match=r"4 of 5 file names, such as v.png, w.png, x.png\.$"):
        groups(files, "z")
