import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from trackbed.evaluation import metrics, scores


@pytest.fixture
def answers():
    random = np.random.default_rng(4)
    labels = random.integers(0, 6, 400)
    probabilities = random.dirichlet(np.ones(6), 400) + 0.4 * np.eye(6)[labels]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    sharper = probabilities**2 / (probabilities**2).sum(axis=1, keepdims=True)
    return metrics.Answers(probabilities, sharper, labels, k=2)


def test_formulas_agree_with_scikit_learn(answers):
    found = scores.computed(answers)
    labels, predicted = answers.labels, answers.probabilities.argmax(axis=1)
    assert found["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(labels, predicted, average="macro")
    )
    assert found["balanced_accuracy"] == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(labels, predicted)
    )
    assert found["accuracy"] == sklearn_metrics.accuracy_score(labels, predicted)
    assert found["top_2"] == sklearn_metrics.top_k_accuracy_score(
        labels, answers.probabilities, k=2
    )
    expected = -np.log(answers.probabilities[np.arange(400), labels]).mean()
    assert found["loss"] == pytest.approx(expected)


def test_calibrated_scores_use_the_calibrated_probabilities(answers):
    found = scores.computed(answers)
    own = answers.calibrated[np.arange(400), answers.labels]
    squares = (answers.calibrated**2).sum(axis=1) - 2 * own + 1
    assert found["calibrated_brier"] == pytest.approx(squares.mean())
    assert found["calibrated_brier"] != pytest.approx(found["brier"])


def test_an_always_right_model_has_no_confidence_gap():
    certain = np.eye(3)
    found = scores.computed(metrics.Answers(certain, certain, np.arange(3), k=3))
    assert found["confidence_right"] == 1
    assert np.isnan(found["confidence_wrong"])
    assert np.isnan(found["confidence_gap"])


def test_classes_without_images_are_counted():
    shares = np.full((2, 5), 0.2)
    found = scores.computed(metrics.Answers(shares, shares, np.array([1, 3]), k=1))
    assert (found["images"], found["classes_without_images"]) == (2, 3)


def test_the_macro_f1_of_scikit_learn_stands_beside_ours():
    # Images of classes 0 and 1; the third answer is class 2, which has no images.
    certain = np.eye(3)[[0, 0, 2, 1, 1]]
    found = scores.computed(metrics.Answers(certain, certain, np.array([0, 0, 0, 1, 1]), k=1))
    assert found["macro_f1"] == pytest.approx((0.8 + 1) / 2)
    assert found["macro_f1_scikit_learn"] == pytest.approx((0.8 + 1 + 0) / 3)
    assert scores.find("macro_f1_scikit_learn").label == "Macro F1 by scikit-learn"


def test_order_is_that_of_the_definitions():
    values = {"loss": 1, "top_3": 2, "macro_f1": 3, "accuracy": 4, "accuracy_low": 5}
    keys = ["macro_f1", "accuracy", "accuracy_low", "top_3", "loss"]
    assert list(scores.ordered(values)) == keys


def test_a_value_without_a_definition_is_refused():
    with pytest.raises(KeyError, match="novel"):
        scores.ordered({"macro_f1": 1, "novel": 2})


def test_the_definition_of_an_interval_end_is_that_of_its_score():
    assert scores.find("macro_f1_low") is scores.find("macro_f1") is scores.SCORES[0]
    assert scores.find("novel") is None


def test_k_stands_in_the_texts_of_the_top_k_accuracy():
    found = scores.find("top_3")
    assert found.label == "Top-3 accuracy"
    assert "among the 3 most probable" in found.meaning


def test_every_score_has_a_meaning_a_direction_and_one_key():
    keys = [score.key for score in scores.SCORES]
    assert len(set(keys)) == len(keys)
    for score in scores.SCORES:
        assert score.meaning.endswith(".")
        assert score.better in (scores.HIGHER, scores.LOWER, scores.NEITHER)
        assert score.missing


@pytest.mark.parametrize("key", ["loss", "brier", "calibration_error", "calibrated_loss"])
def test_lower_is_better_for_losses_and_errors(key):
    assert scores.find(key).better == scores.LOWER
