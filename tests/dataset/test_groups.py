import numpy as np
import pandas as pd
import pytest

from trackbed.dataset import groups
from trackbed.dataset.groups import Grouping
from trackbed.dataset.schema import Entry, Found
from trackbed.pipeline.errors import UserError


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


RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 2**63, 20, dtype=np.uint64).tolist()  # far from one another


def table(*rows):
    """Rows of file name, group, hash and part; of one class, brightness and contrast."""
    made = pd.DataFrame(rows, columns=["filename", "group", "hash", "part"])
    made["perceptual_hash"] = [f"{number:016x}" for number in made.pop("hash")]
    return made.assign(record=range(len(made)), class_name="A", brightness=100.0, contrast=40.0)


def joined(rows, near=4, consecutive=None):
    """The groups by name, each as the sorted names of its images."""
    result = groups.join_groups(rows, near, consecutive)
    return {name: sorted(images) for name, images in result.groupby("group")["filename"]}


DRIVES_OF_JOINING = table(
    ("a1", "a", PICTURES[0], ""),
    ("a2", "a", PICTURES[1], ""),
    ("b1", "b", PICTURES[1] ^ 0b1111, ""),  # like a2
    ("b2", "b", PICTURES[2], ""),
    ("c1", "c", PICTURES[2] ^ 0b1, ""),  # like b2
    ("d1", "d", PICTURES[3], ""),
)


def test_near_groups_become_one_with_the_first_name():
    assert joined(DRIVES_OF_JOINING) == {"a": ["a1", "a2", "b1", "b2", "c1"], "d": ["d1"]}
    assert joined(DRIVES_OF_JOINING, 1) == {"a": ["a1", "a2"], "b": ["b1", "b2", "c1"], "d": ["d1"]}


def test_null_joins_nothing():
    assert groups.join_groups(DRIVES_OF_JOINING, None, None)["group"].equals(
        DRIVES_OF_JOINING["group"]
    )


def test_nothing_is_joined_across_the_official_parts():
    parts = DRIVES_OF_JOINING.assign(part=["train", "train", "test", "test", "test", "train"])
    assert joined(parts) == {"a": ["a1", "a2"], "b": ["b1", "b2", "c1"], "d": ["d1"]}
    result = groups.join_groups(parts, 4, None)
    counts = groups.counts(result, 4, None)
    assert counts["near_in_train_and_test"] == 1  # b1 like a2
    assert groups.counts(result, 3, None)["near_in_train_and_test"] == 0
    assert groups.counts(result, None, None)["near_in_train_and_test"] is None


def test_nothing_is_joined_across_a_validation_part():
    parts = DRIVES_OF_JOINING.assign(part=["train", "train", *["validation"] * 3, "train"])
    assert joined(parts) == {"a": ["a1", "a2"], "b": ["b1", "b2", "c1"], "d": ["d1"]}
    counts = groups.counts(groups.join_groups(parts, 4, None), 4, None)
    assert (counts["official_validation"], counts["near_in_train_and_validation"]) == (3, 1)
    assert counts["near_in_train_and_test"] == 0


def test_the_counts_by_hand():
    assert groups.counts(groups.join_groups(DRIVES_OF_JOINING, 1, None), 1, None) == {
        **{"groups": 3, "joined_groups": 1, "joined_images": 3, "largest_group": 3},
        **{"near_in_train_and_test": 0, "groups_known": 1},
        **{"official_validation": 0, "near_in_train_and_validation": 0},
    }


@pytest.mark.parametrize(("consecutive", "known"), [(None, 0), (16, 1)])
def test_groups_are_known_by_name_or_by_order(consecutive, known):
    alone = DRIVES_OF_JOINING.assign(group=DRIVES_OF_JOINING["filename"])
    result = groups.join_groups(alone, 4, consecutive)
    assert not result["group"].is_unique
    assert groups.counts(result, 4, consecutive)["groups_known"] == known


def test_the_order_of_the_rows_does_not_matter():
    random = np.random.default_rng(1)
    hashes = random.choice(PICTURES, 200).astype(np.uint64)
    for _ in range(3):
        hashes ^= np.uint64(1) << random.integers(0, 64, 200, dtype=np.uint64)
    names = [f"{number}.png" for number in range(200)]
    named = [f"g{number}" for number in random.integers(0, 150, 200)]
    rows = table(*zip(names, named, hashes, [""] * 200, strict=True))
    straight = groups.join_groups(rows, 4, 16).set_index("record")["group"]
    mixed = groups.join_groups(rows.sample(frac=1, random_state=2), 4, 16).set_index("record")[
        "group"
    ]
    assert 5 < straight.nunique() < rows["group"].nunique()
    pd.testing.assert_series_equal(straight, mixed.sort_index())


def test_neighbours_in_the_order_of_their_names_are_joined():
    film = [PICTURES[0] ^ (2**number - 1) for number in range(0, 40, 8)]
    rows = table(
        ("film_9.png", "1", film[0], ""),
        ("film_10.png", "2", film[1], ""),  # follows film_9
        ("film_11.png", "3", PICTURES[5], ""),  # another scene
        ("film_12.png", "4", film[2], ""),  # like film_10, which is not its neighbour
        ("film_13.png", "5", film[3], ""),
    )
    assert joined(rows, None, 8) == {
        "1": ["film_10.png", "film_9.png"],
        "3": ["film_11.png"],
        "4": ["film_12.png", "film_13.png"],
    }
    assert len(joined(rows, None, 7)) == 5
    other_class = rows.assign(class_name=["A", "B", "A", "A", "B"])
    assert len(joined(other_class, None, 8)) == 5  # 10 and 13 follow one another, 16 bits apart
    assert len(joined(other_class, None, 16)) == 4
    assert len(joined(rows.assign(part=["train", "test", *["train"] * 3]), None, 8)) == 4
