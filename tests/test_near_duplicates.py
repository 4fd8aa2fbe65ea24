import itertools

import numpy as np
import pytest
from indexes import indexed
from PIL import Image

from trackbed.ingest import kinds, near_duplicates
from trackbed.ingest.images import difference_hash
from trackbed.ingest.quality import quality

# Of noise: many changes from bit to bit. One and two bits from it, and one that shades evenly.
BASE, ONE, TWO, SHADED = "5a3c96e10f7bd248", "5a3c96e10f7bd249", "da3c96e10f7bd249", "0f" * 8


def near(*hashes, **columns):
    rows = [{"perceptual_hash": text} for text in hashes]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return near_duplicates.near_duplicates(indexed(*rows))


def pairs(found):
    return found[["record", "other_record", "finding"]].to_numpy().tolist()


def test_two_bits_are_near_and_three_are_not():
    found = near(BASE, TWO, "da3c96e10f7bd24b")  # 3 bits from the first, 1 from the second
    assert pairs(found) == [[2, 1, kinds.NEAR], [1, 0, kinds.NEAR]]
    assert found["detail"].tolist() == ["1 of 64 bits differ", "2 of 64 bits differ"]


def test_another_class_comes_before_the_test_part_and_that_before_the_nearest():
    found = near(
        *(BASE, BASE, ONE, TWO),
        class_name=["A", "A", "A", "B"],
        part=["train", "train", "test", "train"],
    )
    assert pairs(found) == [
        [3, 2, kinds.NEAR_CONTRADICTION],  # one bit; two from the first
        [0, 2, kinds.NEAR_TEST],
        [1, 0, kinds.NEAR],
    ]


def test_of_two_parts_the_one_for_training_is_listed():
    assert pairs(near(BASE, ONE, part=["train", "test"])) == [[0, 1, kinds.NEAR_TEST]]
    assert pairs(near(BASE, ONE, part=["test", "train"])) == [[1, 0, kinds.NEAR_TEST]]


@pytest.mark.parametrize(
    "columns",
    [
        {"group": ["g", "g"]},  # known to belong together
        {"pixel_hash": ["x", "x"], "class_name": ["A", "B"]},  # identical, told elsewhere
        {"brightness": [100.0, 120.0]},
        {"contrast": [20.0, 28.0]},
    ],
)
def test_what_does_not_count(columns):
    assert near(BASE, ONE, **columns).empty


def test_a_group_in_two_classes_counts():
    found = near(BASE, ONE, group=["g", "g"], class_name=["A", "B"])
    assert pairs(found) == [[1, 0, kinds.NEAR_CONTRADICTION]]


def test_shaded_pictures_share_a_hash_by_chance():
    assert near(SHADED, SHADED, SHADED).empty


def test_the_same_as_comparing_all_pairs():
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
        record: (near_duplicates.RANKS.index(finding), other)
        for record, other, finding in pairs(found)
    } == {record: (rank, other) for record, (rank, _, other) in expected.items()}


def test_a_picture_saved_anew_and_smaller_is_found(tmp_path):
    random = np.random.default_rng(0)
    spots = [Image.fromarray(random.integers(0, 256, (9, 9, 3), np.uint8)) for _ in range(4)]
    drawn = [spot.resize((160, 120), Image.Resampling.BICUBIC) for spot in spots]
    drawn[2].resize((120, 90)).save(tmp_path / "again.jpg", quality=60)
    rows = []
    for image in [*drawn, Image.open(tmp_path / "again.jpg")]:
        grey = image.convert("L")
        rows.append({"perceptual_hash": difference_hash(grey)} | quality(grey)._asdict())
    assert pairs(near_duplicates.near_duplicates(indexed(*rows))) == [[4, 2, kinds.NEAR]]


def test_no_record_and_one():
    assert near_duplicates.near_duplicates(indexed({}).head(0)).empty
    assert near(BASE).empty
