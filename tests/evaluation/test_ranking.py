import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from scipy.stats import binomtest, t
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from trackbed.evaluation import ranking


def answers(images=400, digits=2, seed=0):
    """Probabilities with many ties, and which images are of the class."""
    random = np.random.default_rng(seed)
    sure = np.round(random.random(images), digits)
    return sure, random.random(images) < sure


def test_areas_by_hand():
    # In falling order: right, wrong, right. The precision at the two right ones is 1 and 2/3; of
    # the two pairs of a right and the wrong image one is in order.
    positive = np.array([True, False, True])
    (precision, _), (area, _) = ranking.areas(np.array([0.9, 0.5, 0.4]), positive)
    assert precision == pytest.approx((1 + 2 / 3) / 2)
    assert area == pytest.approx(1 / 2)


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_areas_are_those_of_scikit_learn(digits):
    sure, positive = answers(digits=digits)
    (precision, _), (area, _) = ranking.areas(sure, positive)
    assert precision == pytest.approx(average_precision_score(positive, sure))
    assert area == pytest.approx(roc_auc_score(positive, sure))


def test_curves_are_those_of_scikit_learn():
    sure, positive = answers()
    found = ranking.curve(sure, positive)
    precision, recall, thresholds = precision_recall_curve(positive, sure)
    assert found.thresholds[::-1] == pytest.approx(thresholds)
    assert found.precision[::-1] == pytest.approx(precision[:-1])
    assert found.recall[::-1] == pytest.approx(recall[:-1])
    alarms, hits, _ = roc_curve(positive, sure, drop_intermediate=False)
    assert found.false_alarms == pytest.approx(alarms[1:])
    assert found.recall == pytest.approx(hits[1:])


def test_an_influence_is_the_change_by_a_weight():
    sure, positive = answers(60)
    step = 1e-6
    for (value, influence), score in zip(
        ranking.areas(sure, positive), (average_precision_score, roc_auc_score), strict=True
    ):
        for image in (0, 17, 59):
            weights = np.ones(60) + step * (np.arange(60) == image)
            changed = score(positive, sure, sample_weight=weights)
            assert (changed - value) / step == pytest.approx(influence[image], abs=1e-6)


def grouped(groups=40, per=5, classes=3, seed=1):
    """Groups of one class each, whose images are alike."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(groups) % classes, per)
    logits = random.normal(0, 1.5, (groups, classes)).repeat(per, axis=0)
    logits += random.normal(0, 1, logits.shape) + 2 * np.eye(classes)[labels]
    return softmax(logits, axis=1), labels, np.repeat(np.arange(groups), per)


def test_the_spread_is_that_of_a_bootstrap_over_groups():
    probabilities, labels, groups = grouped()
    found = ranking.table(probabilities, labels, groups, ["A", "B", "C"])
    random = np.random.default_rng(2)
    positive, sure, row = labels == 1, probabilities[:, 1], found.iloc[1]
    resampled = []
    for _ in range(250):
        weights = np.zeros(40)
        for stratum in range(3):
            members = np.arange(stratum, 40, 3)
            taken = random.choice(members, len(members) - 1)
            np.add.at(weights, taken, len(members) / (len(members) - 1))
        scores = (average_precision_score, roc_auc_score)
        resampled.append([one(positive, sure, sample_weight=weights[groups]) for one in scores])
    for area, spread in zip(ranking.AREAS, np.std(resampled, axis=0), strict=True):
        ends = logit(row[[f"{area}_low", f"{area}_high"]].to_numpy(float))
        # Half the width on the log odds, with some 25 degrees of freedom.
        half = np.diff(ends)[0] / 2 * row[area] * (1 - row[area]) / t.ppf(0.975, 25)
        assert half == pytest.approx(spread, rel=0.2)


def test_the_interval_of_two_groups_a_class_by_hand():
    # Each image is a group of its own; the AUROC of A is 3/4: of its two images one wins both
    # pairs, the other one of two; of the others one loses both, one wins one.
    probabilities = np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4], [0.2, 0.8]])
    found = ranking.table(probabilities, np.array([0, 0, 1, 1]), np.arange(4), ["A", "B"])
    # All four influences are 1/8 or -1/8. The variance of a class of two groups is the sum of the
    # squares times 2 / (2 - 1), so 1/16 of each class, and each has one degree of freedom.
    row = found.iloc[0]
    deviation = np.sqrt(1 / 16 + 1 / 16)
    reach = t.ppf(0.975, 2) * deviation / (0.75 * 0.25)
    assert row["auroc"] == 0.75
    expected = expit([logit(0.75) - reach, logit(0.75) + reach])
    assert row[["auroc_low", "auroc_high"]].to_list() == pytest.approx(expected, abs=1e-9)


def test_a_class_that_is_told_apart_always_has_the_interval_of_its_groups():
    labels = np.array([0] * 12 + [1] * 30)
    groups = np.arange(42) // 3  # four groups of the first class
    sure = np.where(labels == 0, 0.9, 0.1)
    row = ranking.table(np.column_stack([sure, 1 - sure]), labels, groups, ["A", "B"]).iloc[0]
    expected = binomtest(4, 4).proportion_ci(method="wilson").low
    for area in ranking.AREAS:
        assert row[area] == 1
        assert row[[f"{area}_low", f"{area}_high"]].to_list() == pytest.approx([expected, 1])


def test_means_are_over_the_classes_with_images():
    probabilities, labels, groups = grouped()
    with_empty = np.column_stack([probabilities, np.zeros(len(labels))])
    found = ranking.table(with_empty, labels, groups, ["A", "B", "C", "D"])
    assert found["class_name"].to_list() == ["A", "B", "C", "D", "macro avg"]
    assert found["support"].to_list()[-2:] == [0, len(labels)]
    assert found.iloc[3, 2:].isna().all()
    for area in ranking.AREAS:
        assert found[area].iloc[-1] == pytest.approx(found[area].iloc[:3].mean())
        assert found[f"{area}_low"].iloc[-1] < found[area].iloc[-1] < found[f"{area}_high"].iloc[-1]


def test_a_class_of_one_group_has_areas_without_interval():
    probabilities, labels, groups = grouped()
    groups = np.where(labels == 0, 100, groups)
    found = ranking.table(probabilities, labels, groups, ["A", "B", "C"])
    assert found["auroc"].notna().all()
    assert found["auroc_low"].isna().to_list() == [True, False, False, False]


def test_a_single_group_has_no_interval_and_a_single_class_no_area():
    probabilities, labels, _ = grouped()
    alone = ranking.table(probabilities, labels, np.zeros(len(labels)), ["A", "B", "C"])
    assert alone["auroc"].notna().all()
    assert alone["auroc_low"].isna().all()
    one = ranking.table(probabilities, np.zeros(len(labels), int), labels, ["A", "B", "C"])
    assert one[list(ranking.AREAS)].isna().all(axis=None)
