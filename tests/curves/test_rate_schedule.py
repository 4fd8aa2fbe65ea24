"""Schedules of the learning rate, made by their formulas."""

import histories
import numpy as np
import pytest

from trackbed.curves.rate_schedule import schedule

PLACES = np.arange(30)


def found(rates, **values):
    return schedule(histories.made(learning_rate=rates, loss=np.ones(len(rates)), **values))


@pytest.mark.parametrize(
    ("rates", "shape"),
    [
        (np.full(30, 1e-3), "constant"),
        (1e-3 * 0.9**PLACES, "exponential"),
        (1e-3 * (1 - PLACES / 30), "linear"),
        (1e-3 * (1 + np.cos(np.pi * PLACES / 29)) / 2, "cosine"),
        (1e-3 * (1 + np.cos(np.pi * (PLACES + 1) / 30)) / 2, "cosine"),  # logged at its epoch's end
        (1e-5 + 1e-3 * (1 + np.cos(np.pi * PLACES / 45)) / 2, "cosine"),  # stopped at 2 / 3
        (1e-3 * 0.1 ** (PLACES // 10), "drops"),
        (1e-3 * (2 - PLACES % 2), "other"),
    ],
)
def test_shapes(rates, shape):
    one = found(rates)
    assert (one.shape, one.warm_up) == (shape, 0)


@pytest.mark.parametrize("shape", ["constant", "linear", "cosine"])
def test_a_warm_up_of_five_epochs_before_a_shape(shape):
    after = {
        "constant": np.ones(25),
        "linear": 1 - np.arange(25) / 25,
        "cosine": (1 + np.cos(np.pi * np.arange(25) / 25)) / 2,
    }[shape]
    one = found(1e-2 * np.r_[0.2, 0.4, 0.6, 0.8, after])
    assert (one.shape, one.warm_up, one.warm_up_shape) == (shape, 5, "linear")
    assert one.highest == pytest.approx(1e-2)


def test_drops_and_what_followed_by_hand():
    rates = [1e-3] * 4 + [1e-4] * 4 + [1e-5] * 4
    losses = [5, 4, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1]
    one = schedule(histories.made(lr=rates, loss=losses))
    assert [drop.epoch for drop in one.drops] == [5, 9]
    assert one.every == 4
    effect = one.drops[0].effects[0]
    # Medians of epochs 2 to 4, and of 5 to 7.
    assert (effect.column, effect.before, effect.after) == ("loss", 3, 1)


def test_other_groups_of_parameters():
    groups = {"lr/pg0": [1e-3] * 5, "lr/pg1": [1e-3] * 5, "lr/pg2": [1e-2] * 5}
    one = schedule(histories.made(loss=[1] * 5, **groups))
    assert (one.alike, one.different) == (("lr/pg1",), ("lr/pg2",))


def test_silence_without_rates_or_with_three():
    assert schedule(histories.made(loss=[1, 2])) is None
    assert found([1e-3] * 3) is None
