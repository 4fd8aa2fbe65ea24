import pytest

from trackbed.reporting import confidence


@pytest.mark.parametrize(("degrees", "direction"), [(1.4, "too high"), (0.7, "too low")])
def test_a_temperature_names_the_direction_of_the_error(degrees, direction):
    text = " ".join(confidence.temperature_text({"temperature": degrees}, {"calibrated": "false"}))
    assert f"{degrees:.3f}" in text
    assert direction in text
    assert "evaluate.calibrated: true the whole report" in text
    assert "end of the allowed range" not in text


def test_reported_probabilities_with_the_temperature():
    text = confidence.temperature_text({"temperature": 2.0}, {"calibrated": "true"})
    assert "include the temperature" in text[1]


def test_a_temperature_at_its_bound_is_doubted():
    assert "does not determine it" in confidence.temperature_text({"temperature": 0.1}, {})[-1]


def test_an_older_evaluation_without_a_temperature_has_no_text():
    assert confidence.temperature_text({"macro_f1": 1.0}, {}) == []


def measured(threshold, precision, coverage):
    names = ("refusal_threshold", "refusal_precision", "refusal_coverage")
    return dict(zip(names, (threshold, precision, coverage), strict=True))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (measured(None, None, None), "There is no threshold"),
        (measured(0.0, 0.96, 1.0), "at least 0.95 of all predictions are right"),
        (measured(0.875, 0.96, 0.8), "0.95 of the predictions with a confidence of 0.875 or more"),
        (measured(0.875, 0.96, 0.8), "80.0 % of the images reach it, and 0.960 of"),
        (measured(0.875, 1.0, 0.1), "10.0 % of the images reach it, and 1.000 of"),
        (measured(0.99, None, 0.0), "No test image has that confidence"),
    ],
)
def test_every_outcome_of_a_threshold_and_its_limit(scores, expected):
    text = confidence.threshold_text(scores, {"wanted_precision": "0.95"})
    assert expected in text[0]
    assert "0.95" in text[0]
    assert "does not catch images of unknown classes" in text[1]
    assert "AUROC" not in text[1]


def test_the_interval_of_the_precision_is_named():
    bounds = {"refusal_precision_low": 0.91, "refusal_precision_high": 0.99}
    text = confidence.threshold_text(
        measured(0.5, 0.96, 0.8) | bounds, {"wanted_precision": "0.95"}
    )
    assert "(95 % interval 0.910 to 0.990)" in text[0]


def test_an_older_evaluation_without_a_threshold_has_no_text():
    assert confidence.threshold_text({"macro_f1": 1.0}, {}) == []
