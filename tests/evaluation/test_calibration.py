import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from trackbed.evaluation import calibration
from trackbed.inference.temperature import with_temperature


def case(images=4000, classes=6):
    random = np.random.default_rng(3)
    labels = random.integers(0, classes, images)
    shares = random.dirichlet(np.ones(classes), images) + 0.4 * np.eye(classes)[labels]
    return shares / shares.sum(axis=1, keepdims=True), labels


def test_bins_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 0])  # right, wrong, right, wrong
    bins = calibration.reliability(probabilities, labels, bins=4)
    assert bins["low"].tolist() == [0, 0.25, 0.5, 0.75]
    assert bins["images"].tolist() == [0, 0, 2, 2]
    assert bins["right"].tolist() == [0, 0, 1, 1]
    assert bins["confidence"].tolist()[2:] == pytest.approx([0.65, 0.85])
    assert bins["accuracy"].tolist()[2:] == [0.5, 0.5]
    assert bins.loc[:1, ["confidence", "accuracy"]].isna().all(axis=None)
    # (2 * 0.15 + 2 * 0.35) / 4
    assert calibration.expected_error(probabilities, labels, bins=4) == pytest.approx(0.25)


def test_a_value_on_an_edge_belongs_to_the_bin_below():
    bins = calibration.reliability(np.array([[0.5, 0.5], [1, 0]]), np.array([0, 0]), bins=2)
    assert bins["images"].tolist() == [1, 1]


def test_bins_agree_with_the_curve_of_scikit_learn():
    probabilities, labels = case()
    right = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    bins = calibration.reliability(probabilities, labels).dropna()
    np.testing.assert_allclose(bins["accuracy"], accuracy)
    np.testing.assert_allclose(bins["confidence"], confidence)
    assert bins["images"].sum() == 4000


def test_the_brier_score_by_hand_and_by_scikit_learn():
    # (0.2^2 + 0.2^2 + 0) and (0.5^2 + 0.5^2 + 1): 0.08 and 1.5
    probabilities = np.array([[0.8, 0.2, 0.0], [0.5, 0.5, 0.0]])
    assert calibration.brier(probabilities, np.array([0, 2])) == pytest.approx(0.79)
    two, labels = case(classes=2)
    one_of_two = brier_score_loss(labels, two[:, 1])
    assert calibration.brier(two, labels) == pytest.approx(2 * one_of_two)


def test_float32_probabilities_give_the_same_bins():
    probabilities, labels = case()
    single = probabilities.astype(np.float32)
    found = calibration.reliability(single, labels)
    assert found.equals(calibration.reliability(single.astype(float), labels))


def test_two_tables_of_bins_stand_side_by_side():
    before = calibration.reliability(np.array([[0.9, 0.1]]), np.array([0]), bins=2)
    after = calibration.reliability(np.array([[0.6, 0.4]]), np.array([0]), bins=2)
    both = calibration.beside(before, after)
    assert list(both)[:6] == list(before)
    assert (both["confidence"][1], both["calibrated_confidence"][1]) == (0.9, 0.6)
    assert "calibrated_low" not in both


def sampled(images=20000, classes=5, seed=1):
    """Logits, and labels sampled from their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (images, classes))
    chance = softmax(logits, axis=1).cumsum(axis=1)
    return logits, np.minimum((random.random((images, 1)) > chance).sum(axis=1), classes - 1)


@pytest.mark.parametrize("sureness", [0.5, 1, 3])
def test_the_sureness_that_was_put_in_is_found(sureness):
    logits, labels = sampled()
    probabilities = softmax(sureness * logits, axis=1).astype(np.float32)
    found = calibration.fitted_temperature(probabilities, labels)
    assert found == pytest.approx(sureness, rel=0.03)
    assert calibration.fitted_temperature(probabilities, labels) == found


def test_no_temperature_of_a_fine_grid_is_likelier():
    logits, labels = sampled(300)
    probabilities = softmax(2 * logits, axis=1)
    grid = [log_loss(labels, softmax(2 * logits / t, axis=1)) for t in np.geomspace(0.1, 10, 999)]
    temperature = calibration.fitted_temperature(probabilities, labels)
    reached = log_loss(labels, with_temperature(probabilities, temperature))
    assert reached <= min(grid) + 1e-9


def test_answers_that_are_all_right_or_chance_end_at_a_bound():
    labels = np.arange(60) % 3
    sure = 0.1 * np.ones((60, 3)) + 0.7 * np.eye(3)[labels]
    assert calibration.fitted_temperature(sure, labels) == pytest.approx(0.1, rel=1e-3)
    assert calibration.fitted_temperature(sure, (labels + 1) % 3) == pytest.approx(10, rel=1e-3)


def test_a_probability_of_zero_and_no_images_are_no_trouble():
    probabilities = np.array([[1, 0], [1, 0], [0.6, 0.4]], dtype=np.float32)
    assert 1 < calibration.fitted_temperature(probabilities, np.array([1, 0, 0])) <= 10
    assert np.isfinite(with_temperature(probabilities, 0.1)).all()
    assert calibration.fitted_temperature(np.empty((0, 3)), np.empty(0, int)) == 1


@pytest.mark.parametrize("classes", [2, 3, 5, 7])
def test_answers_that_are_all_equal_have_the_highest_temperature(classes):
    equal = np.full((50, classes), 1 / classes, np.float32)
    assert calibration.fitted_temperature(equal, np.arange(50) % classes) == 10
