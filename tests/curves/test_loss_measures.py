"""Measures of losses by hand."""

import histories
import numpy as np
import pandas as pd
import pytest

from trackbed.curves import loss_measures


def series(values):
    return pd.Series(values, index=range(1, len(values) + 1), dtype=float)


def test_the_fall_goes_from_the_larger_first_loss_to_the_best_validation_loss():
    found = loss_measures.losses(histories.made(loss=[3, 1, 0.5], val_loss=[2, 1, 1.5]))
    assert (found.fall, found.epochs, found.columns["validation"]) == (2, 3, "val_loss")
    alone = loss_measures.losses(histories.made(val_loss=[2, 1, 1.5]))
    assert (alone.fall, alone.pair, alone.train) == (1, None, None)
    assert loss_measures.losses(histories.made(val_accuracy=[1])) is None
    assert loss_measures.losses(histories.made(loss=[0, 0])).fall == 1


def test_a_rise_by_hand():
    values = series([3, 2, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8])
    one = loss_measures.rise(values, fall=2)
    # Eight values follow; the median of the last two is 1.75, of a fall of 2.
    assert (one.epoch, one.rises) == (3, True)
    assert (one.size, one.share) == pytest.approx((0.75, 0.375))


def test_swings_of_independent_values_are_their_deviation():
    noise = np.random.default_rng(0).normal(scale=0.5, size=400)
    assert loss_measures.swing(series(noise)) == pytest.approx(0.5, rel=0.1)
    bent = series(np.linspace(0, 3, 40) ** 3)
    assert loss_measures.swing(bent) < 0.01 * np.ptp(bent)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], ()),
        ([np.nan] * 3, (1, 2, 3)),
        ([np.nan, 1, 2, 3, 4, 5], (1,)),
        ([np.nan] * 4 + [1, 2], ()),  # logged from epoch 5 on
        ([1, np.nan, 2, np.nan, 3], ()),
        ([1, 2, 3, np.nan, np.inf], (4, 5)),
        ([1, np.nan, np.nan, np.nan], (2, 3, 4)),
        ([np.nan, np.nan, np.nan, 1], ()),  # logged at the end only
    ],
)
def test_epochs_without_a_number(values, expected):
    assert loss_measures.breaks(series(values)) == expected


def test_a_trend_gains_what_it_moves_in_a_quarter():
    values = series(np.arange(20.0))
    line = loss_measures.tail(values)
    assert (line.first, line.last) == (16, 20)
    assert loss_measures.gain_per_quarter(line, values, -1) == pytest.approx(4)
    assert loss_measures.gain_per_quarter(line, values, 1) == 0
