import pytest
from test_comparison import random_pair, table

from trackbed.judging import comparison, guard


def change(mended, *, worse=False):
    labels, first, second = random_pair(mended=mended)
    tables = table(labels, first), table(labels, second)
    return comparison.compared(*(reversed(tables) if worse else tables))


def test_a_score_below_the_floor_fails_without_a_base():
    assert guard.reasons(0.79, 0.8, None, 0.0) == ["macro F1 0.7900 is below the floor of 0.8000"]
    assert guard.reasons(0.81, 0.8, None, 0.0) == []


def test_a_clear_drop_fails_and_a_gain_does_not():
    (reason,) = guard.reasons(0.9, 0.0, change(0.3, worse=True), 0.01)
    assert reason.startswith("macro F1 fell by 0.0")
    assert guard.reasons(0.9, 0.0, change(0.3), 0.01) == []


@pytest.mark.parametrize(("mended", "allowed"), [(0.3, 0.5), (0.002, 0.0)])
def test_a_drop_that_is_allowed_or_no_more_than_chance_passes(mended, allowed):
    worse = change(mended, worse=True)
    assert worse.difference[0] < 0
    assert guard.reasons(0.9, 0.0, worse, allowed) == []
