import pytest

from trackbed.reporting import confidence


@pytest.mark.parametrize(("degrees", "word"), [(1.4, "too sure"), (0.7, "not sure enough")])
def test_a_temperature_says_which_way_the_network_errs(degrees, word):
    said = " ".join(confidence.temperature({"temperature": degrees}, {"calibrated": "false"}))
    assert f"{degrees:.3f}" in said
    assert word in said
    assert "evaluate.calibrated: true puts" in said
    assert "end of the allowed range" not in said


def test_probabilities_with_the_temperature_are_called_so():
    said = confidence.temperature({"temperature": 2.0}, {"calibrated": "true"})
    assert "those with the temperature" in said[1]


def test_a_temperature_at_its_bound_is_doubted():
    assert "does not settle it" in confidence.temperature({"temperature": 0.1}, {})[-1]


def test_an_older_evaluation_without_a_temperature_has_no_words():
    assert confidence.temperature({"macro_f1": 1.0}, {}) == []


def measured(threshold, precision, coverage):
    names = ("refusal_threshold", "refusal_precision", "refusal_coverage")
    return dict(zip(names, (threshold, precision, coverage), strict=True))


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (measured(None, None, None), "there is no threshold"),
        (measured(0.0, 0.96, 1.0), "Of all answers for the validation fold"),
        (measured(0.875, 0.96, 0.8), "confidence of at least 0.875 for the validation fold"),
        (measured(0.875, 0.96, 0.8), "80.0 % of the images remain then, and 0.960 of"),
        (measured(0.875, 1.0, 0.1), "10.0 % of the images remain then, and 1.000 of"),
        (measured(0.99, None, 0.0), "No test image is as sure"),
    ],
)
def test_every_outcome_of_refusing_is_told_and_its_limit_too(scores, words):
    said = confidence.refusal(scores, {"wanted_precision": "0.95"})
    assert words in said[0]
    assert "0.95" in said[0]
    assert "AUROC of 0.74" in said[1]


def test_the_interval_of_the_precision_is_told():
    bounds = {"refusal_precision_low": 0.91, "refusal_precision_high": 0.99}
    said = confidence.refusal(measured(0.5, 0.96, 0.8) | bounds, {"wanted_precision": "0.95"})
    assert "(95 % interval 0.910 to 0.990)" in said[0]


def test_an_older_evaluation_without_a_threshold_has_no_words():
    assert confidence.refusal({"macro_f1": 1.0}, {}) == []
