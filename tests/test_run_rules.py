from types import SimpleNamespace

import pytest

from trackbed.telling import run_rules
from trackbed.telling.dataset import Reason


def texts(advice):
    return [one.text for one in advice]


def test_a_wide_interval_is_told_with_images_and_groups():
    scores = {"macro_f1_low": 0.814, "macro_f1_high": 0.958, "images": 130}
    (text,) = texts(run_rules.wide_interval(scores, 26))
    assert "0.144 wide: 130 test images in 26 groups" in text
    assert run_rules.wide_interval({"macro_f1_low": 0.9, "macro_f1_high": 0.97}, 26) == []
    assert run_rules.wide_interval({"macro_f1": 0.9}, 26) == []


def test_a_validation_score_above_the_test_part_is_told_beyond_the_interval_only():
    training = {"best": {"val_macro_f1": 0.95}}
    scores = {"macro_f1": 0.80, "macro_f1_high": 0.90}
    (text,) = texts(run_rules.validation_gap(training, scores))
    assert "Validation macro F1 was 0.950, on the test part it is 0.800" in text
    assert run_rules.validation_gap(training, scores | {"macro_f1_high": 0.96}) == []
    assert run_rules.validation_gap(training, {"macro_f1": 0.91, "macro_f1_high": 0.92}) == []
    assert run_rules.validation_gap({}, scores) == []


def test_a_best_epoch_at_the_end_wants_more_epochs():
    assert texts(run_rules.unfinished({"best_epoch": 50, "epochs": 50}, None)) == [
        "The last epoch, 50, is the best: try more of them (train.epochs)."
    ]
    stopped = {"best_epoch": 9, "epochs": 9, "stopped_early": True}
    assert run_rules.unfinished(stopped, None) == []


@pytest.mark.parametrize(("verdict", "told"), [("not converged", 1), ("good fit", 0)])
def test_a_loss_that_still_falls_wants_more_epochs(verdict, told):
    analysed = SimpleNamespace(fit=SimpleNamespace(verdict=verdict))
    found = run_rules.unfinished({"best_epoch": 49, "epochs": 50}, analysed)
    assert len(found) == told
    assert all("still fell in the last quarter of 50 epochs" in one.text for one in found)


@pytest.mark.parametrize(
    ("verdict", "training", "told"),
    [("over-fitting", 0.99, 1), ("over-fitting", 0.93, 0), ("good fit", 0.99, 0)],
)
def test_overfitting_needs_the_verdict_and_a_gap(verdict, training, told):
    fit = SimpleNamespace(
        verdict=verdict, score="macro_f1", training_score=training, validation_score=0.9
    )
    found = run_rules.overfitting(SimpleNamespace(fit=fit), {"dropout": "0.3"})
    assert len(found) == told
    assert all("validation at 0.900" in one.text and "(0.3 now)" in one.text for one in found)


def test_probabilities_too_high_or_too_low_are_told_with_the_setting():
    train = {"label_smoothing": "0.1"}
    (high,) = texts(run_rules.misjudged({"accuracy": 0.8, "overconfidence": 0.1}, train))
    assert high.startswith("The mean confidence is 0.900, the accuracy 0.800: raise it")
    (low,) = texts(run_rules.misjudged({"accuracy": 0.9, "overconfidence": -0.08}, train))
    assert "is 0.820, the accuracy 0.900: a threshold" in low
    assert low.endswith("set on data; train.label_smoothing is 0.1 and lowers them.")
    (plain,) = run_rules.misjudged({"accuracy": 0.9, "overconfidence": -0.08}, {})
    assert plain.text.endswith("set on data.")
    assert run_rules.misjudged({"accuracy": 0.9, "overconfidence": 0.05}, train) == []


def test_rejects_above_one_percent_are_told_with_the_first_reason():
    reasons = [Reason("truncated", 8, []), Reason("empty", 3, [])]
    (text,) = texts(run_rules.rejects({"seen": 1000, "rejected": 11}, reasons))
    assert text.startswith("11 of 1,000 files were rejected, 8 as “truncated”")
    assert run_rules.rejects({"seen": 1000, "rejected": 10}, reasons) == []


def test_waiting_for_images_is_told_above_a_fifth():
    assert texts(run_rules.waiting({"waiting_share": 0.25}))[0].startswith("Training waited 25.0 %")
    assert run_rules.waiting({"waiting_share": 0.2}) == run_rules.waiting({}) == []
