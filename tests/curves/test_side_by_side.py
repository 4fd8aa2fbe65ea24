"""Runs side by side."""

import dataclasses

import histories
import numpy as np
import pytest

from trackbed.curves.analysis import analysis
from trackbed.curves.side_by_side import side_by_side

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


def test_in_noise_the_smaller_network_wins_else_the_sooner():
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
