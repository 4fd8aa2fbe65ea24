import numpy as np
import pandas as pd
import pytest

from trackbed.ingest import joining

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 2**63, 20, dtype=np.uint64).tolist()  # far from one another


def table(*rows):
    """Rows of file name, group, hash and part; of one class, brightness and contrast."""
    made = pd.DataFrame(rows, columns=["filename", "group", "hash", "part"])
    made["perceptual_hash"] = [f"{number:016x}" for number in made.pop("hash")]
    return made.assign(record=range(len(made)), class_name="A", brightness=100.0, contrast=40.0)


def joined(rows, near=4, consecutive=None):
    """The groups by name, each as the sorted names of its images."""
    result = joining.join(rows, near, consecutive)
    return {name: sorted(images) for name, images in result.groupby("group")["filename"]}


DRIVES = table(
    ("a1", "a", PICTURES[0], ""),
    ("a2", "a", PICTURES[1], ""),
    ("b1", "b", PICTURES[1] ^ 0b1111, ""),  # like a2
    ("b2", "b", PICTURES[2], ""),
    ("c1", "c", PICTURES[2] ^ 0b1, ""),  # like b2
    ("d1", "d", PICTURES[3], ""),
)


def test_groups_of_near_duplicates_become_one_with_the_first_name():
    assert joined(DRIVES) == {"a": ["a1", "a2", "b1", "b2", "c1"], "d": ["d1"]}
    assert joined(DRIVES, 1) == {"a": ["a1", "a2"], "b": ["b1", "b2", "c1"], "d": ["d1"]}


def test_null_joins_nothing():
    assert joining.join(DRIVES, None, None)["group"].equals(DRIVES["group"])


def test_nothing_is_joined_across_the_official_parts_but_within_each():
    parts = DRIVES.assign(part=["train", "train", "test", "test", "test", "train"])
    assert joined(parts) == {"a": ["a1", "a2"], "b": ["b1", "b2", "c1"], "d": ["d1"]}
    result = joining.join(parts, 4, None)
    counts = joining.counts(result, 4, None)
    assert counts["near_in_train_and_test"] == 1  # b1 like a2
    assert joining.counts(result, 3, None)["near_in_train_and_test"] == 0
    assert joining.counts(result, None, None)["near_in_train_and_test"] is None


def test_the_counts_by_hand():
    assert joining.counts(joining.join(DRIVES, 1, None), 1, None) == {
        **{"groups": 3, "joined_groups": 1, "joined_images": 3, "largest_group": 3},
        **{"near_in_train_and_test": 0, "groups_known": 1},
    }


@pytest.mark.parametrize(("consecutive", "known"), [(None, 0), (16, 1)])
def test_groups_are_known_by_name_or_by_order_and_not_by_near_duplicates(consecutive, known):
    alone = DRIVES.assign(group=DRIVES["filename"])
    result = joining.join(alone, 4, consecutive)
    assert not result["group"].is_unique
    assert joining.counts(result, 4, consecutive)["groups_known"] == known


def test_the_order_of_the_rows_does_not_matter():
    random = np.random.default_rng(1)
    hashes = random.choice(PICTURES, 200).astype(np.uint64)
    for _ in range(3):
        hashes ^= np.uint64(1) << random.integers(0, 64, 200, dtype=np.uint64)
    names = [f"{number}.png" for number in range(200)]
    groups = [f"g{number}" for number in random.integers(0, 150, 200)]
    rows = table(*zip(names, groups, hashes, [""] * 200, strict=True))
    straight = joining.join(rows, 4, 16).set_index("record")["group"]
    mixed = joining.join(rows.sample(frac=1, random_state=2), 4, 16).set_index("record")["group"]
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
