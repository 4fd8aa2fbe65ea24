import numpy as np
import pytest

from trackbed.inference import answers
from trackbed.pipeline.errors import Damaged

DESCRIPTION = {
    "classes": ["a", "b", "c"],
    "temperature": 2.0,
    "calibrated": False,
    "refusal_threshold": 0.7,
}
# With temperature 2 a row is sqrt(p) / sum of sqrt(p): the first one 0.586, 0.207, 0.207.
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.3, 0.3, 0.4]], np.float32)


def found(shown=None, threshold=None, **changes):
    rules = answers.rules(DESCRIPTION | changes, shown, threshold)
    return rules.answers(PROBABILITIES)


def test_answers_by_hand():
    first, second = found()
    assert (first.class_name, first.refused) == ("a", False)
    assert first.confidence == pytest.approx(0.8)
    assert first.probabilities == pytest.approx([0.8, 0.1, 0.1])
    assert (second.class_name, second.refused) == ("c", True)


def test_calibrated_probabilities_have_the_temperature():
    first, _ = found(True)
    assert first.confidence == pytest.approx(0.5858, abs=1e-4)
    assert first.probabilities == pytest.approx([0.5858, 0.2071, 0.2071], abs=1e-4)


def test_the_models_threshold_counts_as_it_was_chosen():
    # 0.8 of the model's own probabilities, whatever is shown.
    assert [one.refused for one in found(True)] == [False, True]
    scored = {"calibrated": True, "refusal_threshold": 0.55}
    assert [one.refused for one in found(False, **scored)] == [False, True]
    assert found(**scored)[0].confidence == pytest.approx(0.5858, abs=1e-4)


def test_a_threshold_of_the_user_counts_in_what_is_shown():
    assert [one.refused for one in found(True, threshold=0.7)] == [True, True]
    assert [one.refused for one in found(threshold=0.4)] == [False, False]  # at it is not below
    assert [one.refused for one in found(threshold=0.0)] == [False, False]


def test_without_a_threshold_nothing_is_known_of_refusal():
    assert [one.refused for one in found(refusal_threshold=None)] == [None, None]


def test_the_first_of_equal_classes_wins():
    (answer,) = answers.rules(DESCRIPTION).answers(np.array([[0.4, 0.4, 0.2]], np.float32))
    assert answer.class_name == "a"


def test_probabilities_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        answers.rules(DESCRIPTION).answers(np.array([[np.nan, 0, 1]], np.float32))


@pytest.mark.parametrize("names", [["a", "a"], ["a", ""], ["a", "b\x1b[2J"], ["a", "\u202eb"]])
def test_class_names_that_harm_are_refused(tmp_path, names):
    with pytest.raises(Damaged, match=r"model\.json: .*class name"):
        answers.refuse_unusable_classes(tmp_path / "model.json", names)
    answers.refuse_unusable_classes(tmp_path / "model.json", ["=1+1", "a,b", "\"'", "ü"])
