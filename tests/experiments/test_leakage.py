import numpy as np
import pandas as pd
from indexes import THUMBNAIL, thumbnail

from trackbed.experiments import leakage


def table(*rows):
    """Rows of part, fold, group, digest and hash."""
    columns = ["part", "fold", "group", "pixel_hash", "perceptual_hash"]
    made = pd.DataFrame(rows, columns=columns).assign(thumbnail=THUMBNAIL, contrast=40.0)
    made["named_group"] = made["group"]
    return made.assign(filename=[f"{number}.jpg" for number in range(len(made))])


def hash_of(*bits):
    """A hash of unlike rows, some bits of it turned."""
    return f"{0xAA55AA55AA55AA55 ^ sum(1 << bit for bit in bits):016x}"


def found(leaks):
    return {(leak.kind, leak.training, leak.evaluated): leak for leak in leaks}


TABLE = table(
    ("train", 0, "a", "A", hash_of(1)),
    ("train", 1, "b", "B", hash_of(1, 2, 3)),
    ("train", 1, "b", "C", hash_of(40, 41, 42, 43)),
    ("test", -1, "c", "B", hash_of(1, 2, 3)),
    ("test", -1, "b", "D", hash_of(40, 41, 42)),
    ("test", -1, "e", "E", hash_of(*range(20, 30))),
)


def test_the_parts_of_a_fold():
    parts = leakage.parts_of_fold(TABLE, 1)
    assert {name: part.index.tolist() for name, part in parts.items()} == {
        "training": [0],
        "validation": [1, 2],
        "test": [3, 4, 5],
    }


def test_every_kind_by_hand():
    leaks = found(leakage.leaks(TABLE, fold=0, distance=2))
    assert len(leaks) == 9
    of_test = {
        kind: leak for (kind, *sides), leak in leaks.items() if sides == ["training", "test"]
    }
    assert of_test[leakage.GROUP].examples == [("4.jpg", "1.jpg")]
    assert of_test[leakage.IDENTICAL].examples == [("3.jpg", "1.jpg")]
    assert of_test[leakage.NEAR].examples == [("4.jpg", "2.jpg")]  # the identical one not again
    assert {leak.of for leak in of_test.values()} == {3}
    near = leaks[leakage.NEAR, "training", "validation"]
    assert (near.images, near.examples) == (1, [("0.jpg", "1.jpg")])
    assert (
        found(leakage.leaks(TABLE, 0, distance=1))[leakage.NEAR, "training", "validation"].of == 1
    )
    assert not leaks[leakage.GROUP, "training", "validation"].images


def test_near_hashes_of_unlike_pictures_are_no_near_duplicates():
    other = thumbnail(np.random.default_rng(1).integers(0, 256, (12, 12)))
    for unlike in ({"thumbnail": [THUMBNAIL, other]}, {"contrast": [40.0, 70.0]}):
        two = table(("train", 0, "a", "A", hash_of()), ("test", -1, "b", "B", hash_of()))
        leaks = found(leakage.leaks(two.assign(**unlike), fold=1, distance=4))
        assert leaks[leakage.NEAR, "training", "test"].images == 0
        leaks = found(leakage.leaks(two, fold=1, distance=4))
        assert leaks[leakage.NEAR, "training", "test"].images == 1


def test_counts_go_beyond_the_examples():
    many = table(
        *[("train", number % 2, f"{number}", "same", hash_of(number)) for number in range(20)]
    )
    leak = found(leakage.leaks(many, 0, 0, examples=2))[leakage.IDENTICAL, "training", "validation"]
    assert (leak.images, len(leak.examples)) == (10, 2)


def test_whether_groups_are_known():
    assert leakage.groups_known(TABLE)
    assert not leakage.groups_known(TABLE.assign(named_group=np.arange(len(TABLE)).astype(str)))
