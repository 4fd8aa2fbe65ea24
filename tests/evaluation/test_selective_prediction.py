import numpy as np
import pytest

from trackbed.evaluation import selective_prediction

# By falling confidence: right, right, wrong, right, wrong; the last two are equally sure.
CONFIDENCE = np.array([0.4, 0.9, 0.6, 0.8, 0.4])
RIGHT = np.array([True, True, False, True, False])


def test_coverage_by_hand():
    table = selective_prediction.coverage(CONFIDENCE, RIGHT)
    assert table["threshold"].tolist() == [0.4, 0.6, 0.8, 0.9]
    assert table["coverage"].tolist() == [1, 0.6, 0.4, 0.2]
    assert table["accuracy"].tolist() == pytest.approx([3 / 5, 2 / 3, 1, 1])


def test_a_long_table_is_thinned_evenly():
    random = np.random.default_rng(1)
    confidence, right = random.random(3000), random.random(3000) < 0.7
    table = selective_prediction.coverage(confidence, right)
    assert len(table) == 50
    np.testing.assert_allclose(table["coverage"], 1 - np.arange(50) / 50)
    assert table["threshold"].is_monotonic_increasing
    for row in table.iloc[[0, 20, 49]].itertuples():
        kept = confidence >= row.threshold
        assert (kept.mean(), right[kept].mean()) == pytest.approx((row.coverage, row.accuracy))


@pytest.mark.parametrize(
    ("precision", "expected"),
    [(0.5, 0), (0.6, 0), (0.65, 0.6), (0.67, 0.8), (1, 0.8)],
)
def test_the_smallest_threshold_that_is_right_often_enough(precision, expected):
    assert selective_prediction.threshold(CONFIDENCE, RIGHT, precision) == expected


def test_a_precision_out_of_reach_has_no_threshold_and_no_scores():
    assert (
        selective_prediction.threshold(np.array([0.9, 0.5]), np.array([False, True]), 0.9) is None
    )
    assert selective_prediction.threshold(np.array([]), np.array([], bool), 0.9) is None
    labels = np.array([0, 1])
    found = selective_prediction.measured(None, np.array([0.9, 0.8]), labels, labels, labels, 0)
    assert set(found.values()) == {None}


def test_a_threshold_is_measured_on_other_images():
    labels = np.array([0, 0, 1, 1, 0])
    predicted = np.where(RIGHT, labels, 1 - labels)
    found = selective_prediction.measured(0.6, CONFIDENCE, labels, predicted, np.arange(5), 0)
    assert found["refusal_threshold"] == 0.6
    assert found["refusal_precision"] == pytest.approx(2 / 3)
    assert found["refusal_coverage"] == pytest.approx(3 / 5)
    assert 0 <= found["refusal_precision_low"] <= 2 / 3 <= found["refusal_precision_high"] <= 1


def test_where_no_image_is_sure_enough_there_is_no_precision():
    labels = np.array([0, 1])
    found = selective_prediction.measured(0.95, np.array([0.9, 0.8]), labels, labels, labels, 0)
    assert found["refusal_coverage"] == 0
    assert np.isnan([found["refusal_precision"], found["refusal_precision_low"]]).all()


def test_the_precision_interval_agrees_with_the_normal_one():
    random = np.random.default_rng(5)
    labels, confidence = random.integers(0, 3, 4000), random.random(4000)
    predicted = np.where(random.random(4000) < 0.9, labels, (labels + 1) % 3)
    found = selective_prediction.measured(0.75, confidence, labels, predicted, np.arange(4000), 0)
    half = 1.96 * np.sqrt(0.9 * 0.1 / 1000)
    low, high = found["refusal_precision_low"], found["refusal_precision_high"]
    assert high - low == pytest.approx(2 * half, rel=0.1)
    assert low < found["refusal_precision"] < high


def test_a_precision_without_mistakes_is_not_certain():
    labels = np.arange(40) % 2
    found = selective_prediction.measured(0.5, np.ones(40), labels, labels, np.arange(40) // 4, 0)
    assert found["refusal_precision"] == found["refusal_precision_high"] == 1
    assert found["refusal_precision_low"] < 0.8  # ten groups
    alone = selective_prediction.measured(0.5, np.ones(40), labels, labels, np.zeros(40), 0)
    assert np.isnan(alone["refusal_precision_low"])
