import numpy as np
import pytest
from sklearn.metrics import f1_score

from trackbed.judging import advantage, alarm

LABELS = np.arange(90) % 3
GROUPS = np.arange(90) // 3
MAJORITY = np.zeros(90, int)
HALF = np.where(np.arange(90) % 2, LABELS, (LABELS + 1) % 3)


def found(predicted, groups=GROUPS, **baselines):
    given = {"majority": MAJORITY, "logistic": HALF} | baselines
    return advantage.advantage(LABELS, predicted, given, groups, 3, 0)


def test_the_model_is_held_against_the_better_baseline():
    scores = found(LABELS)
    assert scores["baseline_majority_macro_f1"] == pytest.approx(
        f1_score(LABELS, MAJORITY, average="macro")
    )
    half = f1_score(LABELS, HALF, average="macro")
    assert scores["baseline_logistic_macro_f1"] == pytest.approx(half)
    assert scores["above_baseline"] == pytest.approx(1 - half)
    assert 0 < scores["above_baseline_low"] <= 1 - half <= scores["above_baseline_high"]
    assert scores["not_above_baseline"] == 0
    assert alarm.not_above_baseline(scores) == ""


@pytest.mark.parametrize("predicted", [HALF, MAJORITY])
def test_a_model_that_is_no_better_is_told_loudly_with_its_numbers(predicted):
    scores = found(predicted) | {"macro_f1": f1_score(LABELS, predicted, average="macro")}
    assert scores["not_above_baseline"] == 1
    words = alarm.not_above_baseline(scores)
    assert words.startswith("WARNING: this model is NOT SHOWN to be better")
    for name in ("macro_f1", "baseline_logistic_macro_f1", "above_baseline_high"):
        assert f"{abs(scores[name]):.3f}" in words


def test_a_class_without_test_images_stays_out():
    whole = advantage.advantage(LABELS, LABELS, {"majority": MAJORITY}, GROUPS, 5, 0)
    assert whole["above_baseline"] == pytest.approx(1 - 0.5 / 3)  # F1 of class 0: 2 / 4


def test_a_single_group_has_no_interval_and_shows_nothing():
    scores = found(LABELS, groups=np.zeros(90))
    assert np.isnan([scores["above_baseline_low"], scores["above_baseline_high"]]).all()
    assert scores["not_above_baseline"] == 1


def test_an_older_evaluation_without_baselines_raises_no_alarm():
    assert alarm.not_above_baseline({"macro_f1": 0.1}) == ""
