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


HALF = (1 + np.cos(np.pi * np.arange(25) / 25)) / 2  # torch's CosineAnnealingLR, T_max 25
LINE = 1 - np.arange(25) / 25
UP = np.array([0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize(
    ("rates", "shape"),
    [
        (np.r_[UP, 1, LINE], "linear"),  # the first rate after the warm-up is there twice
        (np.r_[0.2, UP, LINE], "linear"),  # the first of all
        (np.r_[UP, HALF], "cosine"),
        (np.r_[UP, 1, HALF], "cosine"),
        (np.r_[UP, np.ones(25)], "constant"),
        (np.r_[UP, 0.9 ** np.arange(25)], "exponential"),
        (np.r_[UP, LINE**2], "polynomial"),
        (np.r_[UP, 1 / np.sqrt(1 + np.arange(25) / 5)], "inverse square root"),
        (np.r_[UP, 0.1 ** (np.arange(25) // 10)], "drops"),
    ],
)
def test_shapes_after_a_warm_up(rates, shape):
    one = found(3e-4 * rates)
    assert (one.shape, one.warm_up_shape, one.one_cycle) == (shape, "linear", False)
    assert one.warm_up == 1 + int(np.argmax(rates == 1))


@pytest.mark.parametrize(
    ("rates", "shape"),
    [
        (LINE**0.9, "polynomial"),  # Keras' PolynomialDecay, DeepLab's "poly"
        (0.1 + 0.9 * LINE**2, "polynomial"),  # down to an end rate
        (1 / (1 + 0.3 * np.arange(25)), "inverse time"),
        (np.r_[np.ones(20), LINE], "linear"),  # CycleGAN: constant, then down
        (np.r_[HALF, [0.0] * 10], "cosine"),  # cosine, then constant
        (np.r_[1, 1, LINE[1:]], "linear"),
    ],
)
def test_more_shapes(rates, shape):
    assert found(1e-3 * rates).shape == shape


def test_levels_before_and_after_a_shape_are_counted():
    one = found(np.r_[np.ones(20), LINE, np.zeros(9)])
    assert (one.shape, one.hold, one.floor) == ("linear", 21, 9)
    assert (found(LINE).hold, found(LINE).floor) == (0, 0)


@pytest.mark.parametrize("decimals", [4, 5, 6])
@pytest.mark.parametrize(("rates", "shape"), [(LINE, "linear"), (HALF, "cosine")])
def test_rounding_by_the_log_hides_no_shape(rates, shape, decimals):
    assert found(np.round(1e-3 * rates, decimals)).shape == shape
    assert found([float(f"{1e-2 * rate:.2g}") for rate in rates]).shape == shape


def test_cosines_with_restarts():
    # torch's CosineAnnealingWarmRestarts(T_0=5, T_mult=2), and its parts of equal length.
    parts = [(1 + np.cos(np.pi * np.arange(count) / count)) / 2 for count in (5, 10, 20)]
    one = found(1e-3 * np.concatenate(parts))
    assert (one.shape, one.restarts) == ("cosine", (6, 16))
    one = found(1e-3 * np.tile(parts[1], 3)[:25])
    assert (one.shape, one.restarts) == ("cosine", (11, 21))


def test_one_cycle_and_a_triangle():
    # torch's OneCycleLR, per epoch: a cosine from 1/25 up for 30 %, then down to 1/250,000.
    up = 0.04 + 0.96 * (1 - np.cos(np.pi * np.arange(10) / 9)) / 2
    down = 4e-6 + (1 - 4e-6) * (1 + np.cos(np.pi * np.arange(1, 21) / 20)) / 2
    one = found(0.1 * np.r_[up, down])
    assert (one.shape, one.one_cycle, one.warm_up_shape) == ("cosine", True, "cosine")
    triangle = np.abs((np.arange(33) + 8) % 16 - 8) / 8 + 0.1
    assert (found(1e-3 * triangle).shape, found(1e-3 * triangle).period) == ("other", 16)


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
