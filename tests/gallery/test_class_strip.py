import numpy as np
import pandas as pd

from trackbed.gallery import class_strip

NAMES = ["A", "NA", "C"]
PREDICTIONS = pd.DataFrame(
    [
        (0, "A", "A", 0.7),
        (1, "A", "A", 0.9),  # the surest right one of A
        (2, "A", "NA", 0.6),
        (3, "A", "NA", 0.8),  # the surest mistake of the most frequent confusion
        (4, "NA", "A", 0.99),
        (5, "NA", "C", 0.5),
    ],
    columns=["record", "true", "predicted", "confidence"],
)
CONFUSION = pd.DataFrame([[2, 2, 0], [1, 0, 1], [0, 0, 0]], index=NAMES, columns=NAMES)


def classes(f1, names=NAMES):
    return pd.DataFrame({"f1": f1, "f1_low": 0.1, "f1_high": 0.9}, index=names)


def records(rows):
    """Stands for the pictures: the record of each."""
    return [f"picture {record}" for record in rows["record"]]


def strip(table, confusion=CONFUSION):
    return class_strip.strip(table, confusion, PREDICTIONS, records)


def test_a_class_has_its_surest_right_picture():
    tiles = strip(classes([0.5, 0.0, np.nan])).tiles
    assert [tile.name for tile in tiles] == NAMES
    # No image of NA is recognised, so its surest one; C has no test image.
    assert [tile.picture for tile in tiles] == ["picture 1", "picture 4", ""]
    assert (tiles[0].label, tiles[0].f1, tiles[0].low, tiles[0].high) == (0, 0.5, 0.1, 0.9)


def test_the_most_frequent_confusion_has_two_pictures():
    pair = strip(classes([0.5, 0.0, np.nan])).pair
    assert (pair.true, pair.predicted, pair.images, pair.support) == ("A", "NA", 2, 4)
    assert (pair.true_label, pair.predicted_label) == (0, 1)
    assert (pair.mistake, pair.example) == ("picture 3", "picture 4")


def test_without_a_mistake_there_is_no_pair():
    diagonal = pd.DataFrame(np.eye(3, dtype=int), index=NAMES, columns=NAMES)
    assert strip(classes([1.0, 1.0, 1.0]), diagonal).pair is None


def test_of_many_classes_the_weakest_come_first():
    names = [f"{number}" for number in range(14)]
    table = classes([0.9, np.nan, 0.2, *[0.95] * 11], names)
    matrix = pd.DataFrame(np.zeros((14, 14), dtype=int), index=names, columns=names)
    tiles = strip(table, matrix).tiles
    assert [tile.name for tile in tiles] == ["2", "0", "3", "4", "5", "6", "7", "8"]
    assert [tile.label for tile in tiles][:2] == [2, 0]
