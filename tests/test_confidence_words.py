import pytest

from trackbed.telling import confidence_words


@pytest.mark.parametrize(("degrees", "word"), [(1.4, "too sure"), (0.7, "not sure enough")])
def test_a_temperature_says_which_way_the_network_errs(degrees, word):
    said = " ".join(confidence_words.temperature({"temperature": degrees}, {"calibrated": "false"}))
    assert f"{degrees:.3f}" in said
    assert word in said
    assert "evaluate.calibrated: true puts" in said
    assert "end of the allowed range" not in said


def test_probabilities_with_the_temperature_are_called_so():
    said = confidence_words.temperature({"temperature": 2.0}, {"calibrated": "true"})
    assert "those with the temperature" in said[1]


def test_a_temperature_at_its_bound_is_doubted():
    assert "does not settle it" in confidence_words.temperature({"temperature": 0.1}, {})[-1]


def test_an_older_evaluation_without_a_temperature_has_no_words():
    assert confidence_words.temperature({"macro_f1": 1.0}, {}) == []
