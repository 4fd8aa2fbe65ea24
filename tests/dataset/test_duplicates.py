import itertools

import numpy as np
import pandas as pd
import pytest
from indexes import indexed, thumbnail
from PIL import Image

from trackbed.dataset import duplicates
from trackbed.dataset.images import difference_hash, encoded_thumbnail, quality
from trackbed.pipeline import index
from trackbed.pipeline.errors import BadData


def table_of_duplicates(*rows):
    made = pd.DataFrame(rows, columns=["filename", "class_name", "part", "pixel_hash"])
    return made.assign(record=range(len(made)))


TABLE = table_of_duplicates(
    ("A/1", "A", "train", "x"),
    ("A/2", "A", "train", "x"),  # the same class and part: no conflict
    ("A/3", "A", "train", "y"),
    ("B/4", "B", "test", "y"),  # another class
    ("B/5", "B", "train", "z"),
    ("B/6", "B", "test", "z"),  # another part
    ("B/7", "B", "train", "w"),
)


def test_conflicts_by_class_and_by_part():
    found = duplicates.conflicts(TABLE)
    assert found[["record", "reason", "detail"]].to_numpy().tolist() == [
        [2, index.CONTRADICTION, "B/4"],
        [3, index.CONTRADICTION, "A/3"],
        [4, index.IN_TEST, "B/6"],
    ]
    assert duplicates.counts(TABLE) == {
        "duplicates": 3,
        "in_two_classes": 2,
        "in_train_and_test": 2,  # A/3 is in the test part, too, whatever its class
    }


def test_one_of_three_in_another_class_condemns_all():
    three = table_of_duplicates(("A/1", "A", "", "x"), ("A/2", "A", "", "x"), ("B/3", "B", "", "x"))
    found = duplicates.conflicts(three)
    assert found["record"].tolist() == [0, 1, 2]
    assert found["detail"].tolist() == ["B/3", "B/3", "A/1"]


def test_the_other_one_is_one_that_makes_the_conflict():
    mixed = table_of_duplicates(
        ("A/1", "A", "train", "x"),
        ("A/2", "A", "test", "x"),
        ("B/3", "B", "train", "x"),
        ("C/4", "C", "train", "y"),
        ("C/5", "C", "", "y"),
        ("C/6", "C", "test", "y"),
    )
    found = duplicates.conflicts(mixed)
    assert found["detail"].tolist() == ["B/3", "B/3", "A/1", "C/6", "C/6"]
    assert found["other_record"].tolist() == [2, 2, 0, 5, 5]


def test_repeats_are_of_the_same_class_and_part():
    assert duplicates.repeats(TABLE)[["record", "reason", "other_record"]].to_numpy().tolist() == [
        [1, index.DUPLICATE, 0]
    ]


def test_many_conflicts_are_those_that_plain_dictionaries_find():
    random = np.random.default_rng(0)
    hashes, classes = random.integers(0, 10_000, 20_000), random.choice(list("ABC"), 20_000)
    rows = [
        (f"{n}", name, "train", f"{value}")
        for n, (name, value) in enumerate(zip(classes, hashes, strict=True))
    ]
    first = {}  # per hash and class
    for filename, name, _, value in rows:
        first.setdefault(value, {}).setdefault(name, int(filename))
    expected = {
        int(filename): min(record for other, record in first[value].items() if other != name)
        for filename, name, _, value in rows
        if len(first[value]) > 1
    }
    found = duplicates.conflicts(table_of_duplicates(*rows))
    assert len(found) > 10_000
    assert dict(zip(found["record"], found["other_record"], strict=True)) == expected


def test_the_choices():
    assert duplicates.conflicts_to_reject(TABLE, "reject")["filename"].tolist() == [
        "A/3",
        "B/4",
        "B/5",
    ]
    assert duplicates.conflicts_to_reject(TABLE, "keep").empty
    with pytest.raises(BadData, match=r"3 pictures .*A/3: also in another class, B/4"):
        duplicates.conflicts_to_reject(TABLE, "fail")
    assert duplicates.conflicts_to_reject(TABLE.head(2), "fail").empty


def test_nothing_at_all():
    assert duplicates.counts(table_of_duplicates())["duplicates"] == 0


NOISE = np.random.default_rng(1).integers(0, 256, (2, 12, 12))
# Of noise: many changes from bit to bit. One and two bits from it, and one that shades evenly.
BASE, ONE, TWO, SHADED = "5a3c96e10f7bd248", "5a3c96e10f7bd249", "da3c96e10f7bd249", "0f" * 8


def near(*hashes, **columns):
    rows = [{"perceptual_hash": text} for text in hashes]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return duplicates.near_duplicates(indexed(*rows))


def pairs(found):
    return found[["record", "other_record", "finding"]].to_numpy().tolist()


def test_two_bits_are_near_and_three_are_not():
    found = near(BASE, TWO, "da3c96e10f7bd24b")  # 3 bits from the first, 1 from the second
    assert pairs(found) == [[2, 1, index.NEAR], [1, 0, index.NEAR]]
    assert found["detail"].tolist() == ["1 of 64 bits differ", "2 of 64 bits differ"]


def test_another_class_comes_first_then_the_test_part():
    found = near(
        *(BASE, BASE, ONE, TWO),
        class_name=["A", "A", "A", "B"],
        part=["train", "train", "test", "train"],
    )
    assert pairs(found) == [
        [3, 2, index.NEAR_CONTRADICTION],  # one bit; two from the first
        [0, 2, index.NEAR_TEST],
        [1, 0, index.NEAR],
    ]


def test_of_two_parts_the_one_for_training_is_listed():
    assert pairs(near(BASE, ONE, part=["train", "test"])) == [[0, 1, index.NEAR_TEST]]
    assert pairs(near(BASE, ONE, part=["test", "train"])) == [[1, 0, index.NEAR_TEST]]


@pytest.mark.parametrize(
    "columns",
    [
        {"group": ["g", "g"]},  # known to belong together
        {"pixel_hash": ["x", "x"], "class_name": ["A", "B"]},  # identical, listed elsewhere
        {"thumbnail": [thumbnail(pixels) for pixels in NOISE]},
        {"contrast": [20.0, 36.0]},
    ],
)
def test_what_does_not_count(columns):
    assert near(BASE, ONE, **columns).empty


def test_a_group_in_two_classes_counts():
    found = near(BASE, ONE, group=["g", "g"], class_name=["A", "B"])
    assert pairs(found) == [[1, 0, index.NEAR_CONTRADICTION]]


def test_shaded_pictures_share_a_hash_by_chance():
    assert near(SHADED, SHADED, SHADED).empty


def test_the_same_as_comparing_all_pairs_of_near_duplicates():
    random = np.random.default_rng(3)
    seeds = random.integers(0, 2**64, 40, dtype=np.uint64)
    flips = np.uint64(1) << random.integers(0, 64, 200, dtype=np.uint64)
    hashes = seeds[random.integers(0, 40, 200)] ^ flips
    hashes = np.unique(hashes)
    classes = random.choice(["A", "B"], len(hashes))
    tested = random.random(len(hashes)) < 0.4
    found = near(
        *(f"{value:016x}" for value in hashes),
        class_name=classes,
        part=np.where(tested, "test", ""),
    )
    expected = {}
    for left, right in itertools.combinations(range(len(hashes)), 2):
        bits = bin(int(hashes[left]) ^ int(hashes[right])).count("1")
        if bits <= 2:
            own, other = (left, right) if tested[right] and not tested[left] else (right, left)
            rank = (
                0 if classes[left] != classes[right] else 1 if tested[left] != tested[right] else 2
            )
            expected[own] = min(expected.get(own, (9,)), (rank, bits, other))
    assert len(expected) > 50
    assert {
        record: (duplicates.RANKS.index(finding), other) for record, other, finding in pairs(found)
    } == {record: (rank, other) for record, (rank, _, other) in expected.items()}


def test_a_picture_saved_anew_and_smaller_is_found(tmp_path):
    random = np.random.default_rng(0)
    spots = [Image.fromarray(random.integers(0, 256, (9, 9, 3), np.uint8)) for _ in range(4)]
    scenes = [spot.resize((160, 120), Image.Resampling.BICUBIC) for spot in spots]
    scenes[2].resize((120, 90)).save(tmp_path / "again.jpg", quality=60)
    rows = []
    for image in [*scenes, Image.open(tmp_path / "again.jpg")]:
        grey = image.convert("L")
        looks = {"perceptual_hash": difference_hash(grey), "thumbnail": encoded_thumbnail(grey)}
        rows.append(looks | quality(grey)._asdict())
    assert pairs(duplicates.near_duplicates(indexed(*rows))) == [[4, 2, index.NEAR]]


def test_no_record_and_one():
    assert duplicates.near_duplicates(indexed({}).head(0)).empty
    assert near(BASE).empty
