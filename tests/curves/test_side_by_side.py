"""Runs side by side, and the tables of scores by class."""

import dataclasses

import histories
import numpy as np
import pytest

from trackbed.curves import class_scores
from trackbed.curves.analysis import analysis
from trackbed.curves.side_by_side import side_by_side
from trackbed.pipeline.errors import UserError

RISE = np.linspace(0.1, 0.9, 20)


def compared(*runs, monitor=None):
    """runs: columns, with `parameters` and `seconds` among them."""
    made = []
    for place, run in enumerate(runs):
        seconds = run.pop("seconds", None)
        parameters = run.pop("parameters", None)
        history = dataclasses.replace(histories.made(seconds=seconds, **run), name=f"run {place}")
        made.append((history, analysis(history, parameters=parameters)))
    return side_by_side([one for one, _ in made], [one for _, one in made], monitor)


def test_the_best_value_wins_beyond_the_noise():
    found = compared({"val_accuracy": RISE}, {"val_accuracy": RISE / 2})
    assert (found.order, found.chosen, found.because) == ((0, 1), 0, "best value")
    assert found.target == pytest.approx(0.45)
    # 0.1 + 8 / 19 * 0.8 = 0.437 is below, the next is not.
    assert [one.reached for one in found.contenders] == [10, 20]


def test_within_the_noise_the_smaller_network_wins_else_the_sooner():
    wiggle = 0.9 + 0.02 * np.resize([1, -1, 0.5, -0.5], 20)
    first, second = {"val_acc": wiggle + 0.005}, {"val_acc": wiggle}
    sized = compared(first | {"parameters": 1000}, second | {"parameters": 10})
    assert (sized.even, sized.chosen, sized.because) == ((0, 1), 1, "fewest parameters")
    timed = compared(first | {"seconds": [9] * 20}, second | {"seconds": [1] * 20})
    assert (timed.chosen, timed.because) == (1, "soonest there")


def test_a_score_goes_before_a_loss_and_names_need_not_agree():
    found = compared(
        {"val_loss": 1 - RISE, "val_accuracy": RISE}, {"val/loss": RISE, "val/accuracy": RISE / 2}
    )
    assert (found.quantity, found.chosen) == ("accuracy", 0)
    forced = compared(
        {"val_loss": 1 - RISE, "val_accuracy": RISE},
        {"val/loss": RISE / 20, "val/accuracy": RISE / 2},
        monitor="val_loss",
    )
    assert (forced.quantity, forced.chosen) == ("loss", 1)


def test_nothing_in_common():
    assert compared({"val_accuracy": RISE}, {"val_loss": RISE}) is None


def test_scores_by_class_by_hand(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text(
        "class_name,f1,recall,support\nA,1.0,1.0,10\nB,0.5,0.4,30\nNA,,,0\nC,0.8,1.0,0\n"
        "macro avg,0.7,0.7,40\n"
    )
    scores = class_scores.read(path)
    assert (scores.classes, scores.best, scores.worst) == (
        3,
        ("A",),
        {"B": 0.5, "C": 0.8, "A": 1.0},
    )
    assert scores.support == 40
    assert scores.weighted["recall"] == pytest.approx((10 * 1.0 + 30 * 0.4) / 40)


@pytest.mark.parametrize(
    ("text", "words"), [("a,b\n1,2\n", "no scores by class"), ("class,f1\nA,\n", "no class has")]
)
def test_other_tables_are_refused(tmp_path, text, words):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        class_scores.read(tmp_path / "classes.csv")
