import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from trackbed.evaluation import comparison

NAMES = ["A", "B", "C"]


def table(labels, predicted, groups=None, prefix=""):
    """Predictions of images 0.png, 1.png, ... in the layout of predictions.csv."""
    count = len(labels)
    return pd.DataFrame(
        {
            "record": range(count),
            "filename": [f"{prefix}{number}.png" for number in range(count)],
            "group": [str(group) for group in (groups if groups is not None else range(count))],
            "true": [NAMES[label] for label in labels],
            "predicted": [NAMES[label] for label in predicted],
            "confidence": np.linspace(0.5, 0.9, count),
        }
        | {f"p_{name}": 0.0 for name in NAMES}
    )


def random_pair(images=600, fixed=0.1, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, images)
    first = np.where(random.random(images) < 0.75, labels, (labels + 1) % 3)
    second = np.where(random.random(images) < fixed, labels, first)
    return labels, first, second


def test_fixed_and_newly_wrong_by_hand():
    found = comparison.compared(
        table([0, 0, 1, 1, 2, 2], [0, 1, 1, 0, 2, 0]), table([0, 0, 1, 1, 2, 2], [0, 0, 2, 0, 2, 1])
    )
    assert found.fixed["filename"].tolist() == ["1.png"]
    assert found.newly_wrong[["filename", "true", "first", "second"]].values.tolist() == [
        ["2.png", "B", "B", "C"]
    ]
    assert found.p_value == 1.0  # one against one
    assert found.images == 6


def test_scores_and_their_difference_are_those_of_scikit_learn():
    labels, first, second = random_pair()
    found = comparison.compared(table(labels, first), table(labels, second))
    expected = [f1_score(labels, predicted, average="macro") for predicted in (first, second)]
    assert found.macro_f1 == pytest.approx(expected)
    assert found.accuracy == pytest.approx([accuracy_score(labels, s) for s in (first, second)])
    value, low, high = found.difference
    assert value == pytest.approx(expected[1] - expected[0])
    assert 0 < low < value < high  # a tenth of the mistakes fixed is no chance
    assert found.distinguishable
    per_class = f1_score(labels, second, average=None)
    np.testing.assert_allclose(found.classes["f1_second"], per_class)
    assert found.classes["images"].tolist() == np.bincount(labels).tolist()


def test_a_difference_within_one_object_is_not_distinguishable():
    labels, first, second = random_pair(60, fixed=0.0)
    groups = np.arange(60) // 10
    second = np.where(groups == 2, labels, second)  # one object of six is fixed
    found = comparison.compared(table(labels, first, groups), table(labels, second, groups))
    assert found.groups == 6
    assert found.difference[0] > 0
    assert not found.distinguishable


# Of 10 changed images 9 were fixed: two-sided binomial probability 2 * (1 + 10) / 2**10.
@pytest.mark.parametrize(
    ("fixed", "newly_wrong", "p"), [(9, 1, 22 / 1024), (0, 0, 1), (5, 0, 2 / 32)]
)
def test_mcnemar_by_hand(fixed, newly_wrong, p):
    assert comparison.mcnemar(fixed, newly_wrong) == pytest.approx(p)


ROWS = pd.DataFrame(
    {
        "record": [4, 5, 7],
        "filename": ["a.png", "b.png", "c.png"],
        "class_name": ["A", "B", "B"],
        "pixel_hash": ["11", "22", "33"],
    }
)


def test_a_fingerprint_depends_neither_on_order_nor_on_records():
    found = comparison.fingerprint(ROWS, NAMES)
    assert len(found) == 12
    assert comparison.fingerprint(ROWS.iloc[::-1].assign(record=[0, 1, 2]), NAMES) == found


@pytest.mark.parametrize(
    "changed",
    [
        {"filename": ["a.png", "b.png", "d.png"]},
        {"class_name": ["A", "B", "A"]},
        {"pixel_hash": ["11", "22", "34"]},
    ],
)
def test_another_name_class_or_picture_changes_the_fingerprint(changed):
    found = comparison.fingerprint(ROWS, NAMES)
    assert comparison.fingerprint(ROWS.assign(**changed), NAMES) != found
    assert comparison.fingerprint(ROWS.iloc[:2], NAMES) != found
    assert comparison.fingerprint(ROWS, [*NAMES, "D"]) != found


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (table([0, 1], [0, 1], prefix="other"), "2 and 2 images, 0 of them in both"),
        (table([0, 1, 2], [0, 1, 2]), "2 and 3 images, 2 of them in both"),
        (table([1, 1], [0, 1]), r"1 images, such as 0\.png, have another true class"),
        (table([0, 1], [0, 1]).drop(columns="p_C"), "their classes are"),
    ],
)
def test_another_test_part_is_refused_with_the_reason(second, reason):
    with pytest.raises(ValueError, match=reason):
        comparison.compared(table([0, 1], [0, 1]), second)


def change(fixed, *, worse=False):
    labels, first, second = random_pair(fixed=fixed)
    tables = table(labels, first), table(labels, second)
    return comparison.compared(*(reversed(tables) if worse else tables))


def reasons(macro_f1, change=None, *, floor=0.0, allowed=0.01, check=True, **scores):
    p = comparison.GateParams(macro_f1_floor=floor, allowed_drop=allowed, above_baseline=check)
    return comparison.reasons_against({"macro_f1": macro_f1} | scores, p, change)


def test_a_score_below_the_floor_fails_without_a_base():
    assert reasons(0.79, floor=0.8) == ["macro F1 0.7900 is below the floor of 0.8000"]
    assert reasons(0.81, floor=0.8) == []


def test_a_model_that_does_not_beat_its_baseline_fails():
    scores = {"not_above_baseline": 1, "baseline_logistic_macro_f1": 0.774}
    scores |= {"above_baseline": -0.576, "above_baseline_low": -0.7, "above_baseline_high": -0.4}
    (reason,) = reasons(0.198, **scores)
    assert "macro F1 is 0.198" in reason
    assert "logistic regression on colour and gradient statistics 0.774" in reason
    assert "-0.576 (95 % interval -0.700 to -0.400)" in reason
    assert reasons(0.198, check=False, **scores) == []
    assert reasons(0.9, not_above_baseline=0) == []


def test_a_clear_drop_fails_and_a_gain_does_not():
    (reason,) = reasons(0.9, change(0.3, worse=True))
    assert reason.startswith("macro F1 fell by 0.0")
    assert reasons(0.9, change(0.3)) == []


@pytest.mark.parametrize(("fixed", "allowed"), [(0.3, 0.5), (0.002, 0.0)])
def test_a_drop_that_is_allowed_or_no_more_than_chance_passes(fixed, allowed):
    worse = change(fixed, worse=True)
    assert worse.difference[0] < 0
    assert reasons(0.9, worse, allowed=allowed) == []
