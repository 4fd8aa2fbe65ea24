import numpy as np
import pytest
from sklearn.metrics import f1_score

from trackbed.evaluation import result

LABELS = np.repeat([0, 1, 2], 40)
EXACT = np.where(np.arange(120) % 10 == 0, (LABELS + 1) % 3, LABELS)
QUICK = np.where(np.arange(120) % 10 < 3, (LABELS + 1) % 3, LABELS)


def found(quick, exact):
    return result.precision_check(LABELS, quick, exact, np.arange(120), 3, seed=0)


def test_equal_predictions_differ_in_nothing():
    assert set(found(EXACT, EXACT).values()) == {1.0, 0.0}


def test_the_difference_is_that_of_scikit_learn_and_lies_in_its_interval():
    values = found(QUICK, EXACT)
    assert values["embed_equal"] == pytest.approx(0.8)  # two of every ten differ
    expected = f1_score(LABELS, QUICK, average="macro") - f1_score(LABELS, EXACT, average="macro")
    assert values["embed_macro_f1_difference"] == pytest.approx(expected)
    low, high = (values[f"embed_macro_f1_difference_{end}"] for end in ("low", "high"))
    assert low < expected < high < 0  # twenty points are more than chance
