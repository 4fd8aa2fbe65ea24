"""Convergence by range, trends and milestones, by hand and against noise."""

import histories
import numpy as np
import pandas as pd
import pytest

from trackbed.curves import convergence
from trackbed.curves.history import scatter, trend


def converged(**values):
    history = histories.made(**values)
    return convergence.convergence(history, None)


def test_quarters_of_a_curve_by_hand():
    values = [10, 8, 6, 4, 2, 1.6, 1.4, 1.2, 1.1, 1.05, *[1.0] * 10]
    (one,) = converged(loss=values)
    first = one.ranges[0]
    assert [(part.first, part.last) for part in one.ranges] == [(1, 5), (6, 10), (11, 15), (16, 20)]
    assert (first.mean, first.gain) == (6, 2)
    assert first.deviation == pytest.approx(np.std(values[:5], ddof=1))
    assert first.variation == pytest.approx(first.deviation / 6)
    # Of 9 were gained 8 in the first quarter, 0.95 in the second, 0.05 in the third.
    assert [part.share for part in one.ranges] == pytest.approx([8 / 9, 0.95 / 9, 0.05 / 9, 0])
    assert [part.word for part in one.ranges] == ["rapid", "moderate", "converged", "converged"]
    assert one.converged
    assert one.settled == 9  # the first at or below 1 + 2 % of 9, 1.18


def test_a_score_gains_by_rising_and_a_rising_loss_gets_worse():
    (one,) = converged(val_accuracy=np.linspace(0, 0.9, 20))
    assert [part.word for part in one.ranges] == ["moderate"] * 4
    assert one.ranges[0].gain == pytest.approx(0.9 / 19)
    (two,) = converged(val_loss=[*np.linspace(2, 1, 10), *np.linspace(1.1, 3, 10)])
    assert two.ranges[-1].word == "worse"
    assert not two.converged


def test_all_gained_in_one_step_is_progress_though_no_trend():
    (one,) = converged(loss=[1, *[0.1, 0.101, 0.099, 0.1] * 5][:20])
    assert one.ranges[0].word == "rapid"


def test_noise_is_not_called_progress():
    words = []
    for seed in range(30):
        noise = np.random.default_rng(seed).normal(size=40)
        (one,) = converged(val_loss=[20, 10, 5, 2, 1, *[0] * 5, *noise[:40]])
        words += [part.word for part in one.ranges[1:]]
    progress = sum(word in ("rapid", "moderate", "slow") for word in words)
    assert progress <= 0.05 * len(words)


def test_silence_below_ten_epochs_and_halves_below_twenty():
    assert converged(loss=range(9)) == ()
    assert len(converged(loss=range(19, 0, -1))[0].ranges) == 2


def test_the_slope_is_the_median_of_those_of_all_pairs():
    values = pd.Series([1.0, 2.0, 3.0, 4.0, 50.0], index=range(1, 6))
    slopes = [(values[j] - values[i]) / (j - i) for i in range(1, 6) for j in range(i + 1, 6)]
    found = trend(values)
    assert found.slope == np.median(slopes)
    assert found.low <= found.slope <= found.high
    assert found.direction == 1
    assert trend(values[:4]) is None


def test_the_interval_covers_the_slope_in_19_of_20_cases():
    held = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=15)
        found = trend(pd.Series(0.1 * np.arange(15) + noise))
        held += found.low <= 0.1 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_the_scatter_is_that_around_the_line():
    noise = np.random.default_rng(0).normal(scale=0.5, size=2000)[:400]
    assert scatter(pd.Series(3 * np.arange(400) + noise)) == pytest.approx(0.5, rel=0.1)


def test_losses_from_first_to_last():
    history = histories.made(loss=[float("inf"), 2, 1.5], val_loss=[2, 1, 3])
    one, two = convergence.changes(history)
    assert (one.first_epoch, one.first, one.last, one.absolute, one.percent) == (
        2,
        2,
        1.5,
        -0.5,
        -25,
    )
    assert (two.absolute, two.percent) == (1, 50)


def test_milestones_of_a_score_and_a_loss():
    rise = [0.10, 0.50, 0.73, 0.77, 0.78, 0.80]
    score, fall = convergence.milestones(
        histories.made(**{"val/f1_STONE": rise, "val_loss": [11, 3, 2.1, 1.4, 1.05, 1]})
    )[::-1]
    assert score.column == "val/f1_STONE"
    assert score.values == {1: 0.10, 6: 0.80}
    assert score.reached == {0.90: 3, 0.95: 4, 0.99: 6}  # 0.72, 0.76, 0.792
    assert fall.reached == {0.90: 4, 0.95: 4, 0.99: 5}  # 2.0, 1.5, 1.1
    (none,) = convergence.milestones(histories.made(val_loss=[1, 2]))
    assert none.reached == {}


def test_milestones_of_long_runs_are_few():
    (one,) = convergence.milestones(histories.made(loss=np.linspace(2, 1, 450)))
    assert list(one.values) == [1, 50, 100, 150, 200, 250, 300, 350, 400, 450]


def test_a_score_below_zero_has_milestones_on_the_way_to_its_end():
    # From -0.5 to -0.1: 90 % of the way, -0.14, is reached in the last epoch but one.
    (score,) = convergence.milestones(histories.made(val_mcc=[-0.5, -0.3, -0.13, -0.1]))
    assert score.reached[0.9] == 3
