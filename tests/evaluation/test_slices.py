from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from trackbed.evaluation import slices
from trackbed.pipeline.errors import UserError

NAMES = ["A", "B", "C"]


def rows(images, groups=None, **columns):
    """Rows of an index that are equal except in the columns given."""
    table = {"width": 80, "height": 60, "brightness": 100.0, "contrast": 40.0, "sharpness": 500.0}
    table |= {"group": [f"g{g}" for g in (np.arange(images) if groups is None else groups)]}
    return pd.DataFrame(table | columns, index=range(images))


def answered(images, wrong):
    """Labels 0, 1, 2, 0, ... and predictions that are wrong where `wrong` is true."""
    labels = np.arange(images) % 3
    return labels, np.where(wrong, (labels + 1) % 3, labels)


def dark(images=300, accuracy=0.4):
    """A third of the pictures is dark and harder; the rest is right but for every tenth."""
    random = np.random.default_rng(0)
    brightness = random.permutation(np.linspace(10, 240, images))
    share = np.where(brightness < 86, accuracy, 0.9)
    return rows(images, brightness=brightness), *answered(images, random.random(images) > share)


def test_slices_by_hand():
    brightness = np.repeat([10.0, 50.0, 90.0], 4)
    wrong = np.isin(np.arange(12), [0, 1, 4])
    table = slices.slices(rows(12, brightness=brightness), *answered(12, wrong), NAMES, seed=0)
    # Thirds of 12 ordered values end two thirds of the way from the 4th to the 5th, and so on.
    # Images 0, 3, 6, 9 are of class A, of which 0 is wrong; 1, 4 of class B are wrong.
    assert table[["kind", "slice", "images", "accuracy"]].values.tolist() == [
        ["class", "A", 4, 0.75],
        ["class", "B", 4, 0.5],
        ["class", "C", 4, 1.0],
        ["brightness", "below 36.67", 4, 0.5],
        ["brightness", "36.67 to 63.33", 4, 0.75],
        ["brightness", "above 63.33", 4, 1.0],
    ]
    assert table["groups"].tolist() == [4] * 6
    assert not table["below_whole"].any()


def test_macro_f1_of_a_slice_is_that_of_scikit_learn():
    given, labels, predicted = dark()
    table = slices.slices(given, labels, predicted, NAMES, seed=0)
    low = np.quantile(given["brightness"], 1 / 3)
    here = given["brightness"].to_numpy() < low
    (found,) = table["macro_f1"][table["slice"] == f"below {low:.4g}"]
    assert found == pytest.approx(f1_score(labels[here], predicted[here], average="macro"))
    assert table["macro_f1"][table["kind"] == "class"].isna().all()


def test_the_worst_slice_is_found():
    found = slices.worst(slices.slices(*dark(), NAMES, seed=0))
    assert found["kind"] == "brightness"
    assert found["slice"].startswith("below 86")
    assert 0.2 < found["accuracy_low"] < found["accuracy"] < found["accuracy_high"] < 0.6


def test_noise_is_not_named():
    named = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        given = rows(200, brightness=random.random(200), sharpness=random.random(200))
        labels, predicted = answered(200, random.random(200) > 0.85)
        table = slices.slices(given, labels, predicted, NAMES, seed=0)
        named += slices.worst(table) is not None
    assert named <= 1


@pytest.mark.parametrize(("wrong", "below"), [(9, False), (16, True)])
def test_the_level_of_a_slice_is_corrected_for_their_number(wrong, below):
    # Ten classes of 40 images, one of them harder. Wilson's upper bound of 31 of 40 right is
    # 0.877 at 95 %, below the accuracy of all, but 0.905 at 1 - 0.05 / 10, which is not.
    labels = np.repeat(np.arange(10), 40)
    place = np.arange(400) % 40
    mistaken = place < np.where(labels == 0, wrong, 4)
    predicted = np.where(mistaken, (labels + 1) % 10, labels)
    classes = [f"C{label}" for label in range(10)]
    table = slices.slices(rows(400), labels, predicted, classes, seed=0)
    hardest, accuracy = table.iloc[0], np.mean(~mistaken)
    assert hardest["accuracy_high"] < accuracy
    assert hardest["below_whole"] == below


def test_groups_with_enough_images_are_listed_the_worst_first():
    groups = np.repeat(np.arange(13), [9, *[20] * 12])
    wrong = np.arange(249) % 20 < np.repeat(np.arange(13), [9, *[20] * 12])
    table = slices.slices(rows(249, groups), *answered(249, wrong), NAMES, seed=0)
    listed = table[table["kind"] == "group"]
    assert listed["slice"].tolist()[:3] == ["g12", "g11", "g10"]
    assert len(listed) == slices.LISTED_GROUPS
    assert "g0" not in set(listed["slice"])  # of 9 images
    # Of one group the interval is Wilson's.
    first = listed.iloc[0]
    expected = binomtest(round(20 * first["accuracy"]), 20).proportion_ci(method="wilson")
    assert (first["accuracy_low"], first["accuracy_high"]) == pytest.approx(expected)


@pytest.mark.parametrize(("groups", "below"), [(30, True), (1000, False)])
def test_the_correction_counts_groups_that_are_not_listed(groups, below):
    # 3 of 20 wrong in each group, 9 in the first: the worst of so many, of which ten are listed.
    place = np.arange(20 * groups) % 20
    wrong = place < np.where(np.arange(20 * groups) < 20, 9, 3)
    given = rows(20 * groups, np.arange(20 * groups) // 20)
    table = slices.slices(given, *answered(20 * groups, wrong), NAMES, seed=0)
    worst = table[table["slice"] == "g0"].iloc[0]
    level = 1 - 0.05 / (len(NAMES) + groups)
    highest = binomtest(11, 20).proportion_ci(level, method="wilson").high
    assert (highest < np.mean(~wrong)) == below
    assert worst["below_whole"] == below


def test_a_slice_of_few_images_is_not_named():
    wrong = np.arange(120) < 9
    given = rows(120, np.repeat(np.arange(2), [9, 111]))
    table = slices.slices(given, *answered(120, wrong), NAMES, seed=0)
    assert slices.worst(table) is None


def test_a_table_comes_back_as_it_was_written(tmp_path):
    given, labels, predicted = dark()
    table = slices.slices(given, labels, predicted, ["NA", "012", "true"], seed=0)
    replace(slices.SLICES_TABLE, float_format=None).write(tmp_path, table)
    pd.testing.assert_frame_equal(slices.SLICES_TABLE.read(tmp_path), table)
    (tmp_path / "slices.csv").write_text("kind,slice\nclass,A\n")
    with pytest.raises(UserError, match=r"slices\.csv: .*dvc repro -f evaluate"):
        slices.SLICES_TABLE.read(tmp_path)
