"""Anomalies put into made-up curves are found, and none in curves without any."""

import histories
import numpy as np
import pytest

from trackbed.curves.anomalies import anomalies

EPOCHS = np.arange(60)
FALL = 2 * np.exp(-EPOCHS / 10) + 0.2


def noise(seed=0, size=0.01):
    return size * np.random.default_rng(seed).normal(size=len(EPOCHS))


def found(kind=None, monitor=None, **values):
    history = histories.made(**values)
    every = anomalies(history, history.column(monitor) if monitor else None)
    return [one for one in every if kind in (None, one.kind)]


def test_spikes_are_found_and_dips_of_scores():
    spiked = FALL + noise()
    spiked[[20, 40]] += 1
    (one,) = found("spike", val_loss=spiked)
    assert one.epochs == (21, 41)  # epochs count from 1
    dipped = 1 - FALL / 3 + noise()
    dipped[30] -= 0.3
    (one,) = found("spike", val_accuracy=dipped)
    assert one.epochs == (31,)


def test_a_jump_for_the_better_is_no_spike():
    lucky = FALL + noise()
    lucky[30] -= 0.25
    assert found("spike", val_loss=lucky) == []


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_level_shift_is_a_change_of_regime_and_no_spike(direction):
    shifted = FALL + noise() + np.where(EPOCHS >= 40, 0.3 * direction, 0)
    (one,) = found(loss=shifted)
    assert (one.kind, one.epochs) == ("regime change", (41,))
    assert one.numbers["shift"] == pytest.approx(0.3 * direction, abs=0.03)


def test_a_level_that_moves_over_ten_epochs_is_none():
    slope = np.clip((EPOCHS - 35) / 10, 0, 1)
    assert found("regime change", loss=FALL + noise() - 0.3 * slope) == []


def test_infinite_values_and_a_loss_that_broke():
    broken = FALL.copy()
    broken[0], broken[50:] = np.inf, np.nan
    (one,) = found(loss=broken)
    assert (one.kind, one.epochs) == ("not finite", (1, *range(51, 61)))
    assert one.numbers == {"infinite": 1, "missing": 10, "finite": 49}


def test_a_column_without_a_number_and_one_of_the_test_part():
    (one,) = found(loss=FALL, val_loss=np.full(60, np.nan), test_loss=np.full(60, np.nan))
    assert (one.column, one.numbers["finite"]) == ("val_loss", 0)


def test_values_logged_every_few_epochs_are_no_anomaly():
    sparse = np.where(EPOCHS % 5 == 4, FALL, np.nan)
    assert found("not finite", loss=FALL, val_loss=sparse) == []
    (one,) = found("not finite", val_loss=np.where(np.isin(EPOCHS, (7, 8, 30)), np.nan, FALL))
    assert one.epochs == (8, 9, 31)


def test_a_loss_logged_every_fifth_epoch_is_no_anomaly():
    assert found(loss=FALL, val_loss=np.where(EPOCHS % 5 == 4, FALL, np.nan)) == []


def test_a_zigzag_oscillates():
    (one,) = found(val_loss=FALL + 0.1 * (-1.0) ** EPOCHS)
    assert one.kind == "oscillation"
    assert one.numbers["turns"] > 50
    assert one.numbers["expected"] == pytest.approx(2 * 58 / 3)


def test_a_standstill_that_ended_is_a_plateau():
    values = [9, 8, 7, 6, *[6.5] * 8, *np.linspace(5, 1, 10)]
    (one,) = found("plateau", monitor="val_loss", val_loss=values)
    assert one.epochs == (5, 12)
    assert one.numbers == {"level": 6, "gained_after": 5}


@pytest.mark.parametrize(("last", "least"), [(18, 5), (50, 5), (80, 8)])
def test_a_plateau_is_5_epochs_or_a_tenth_of_the_run(last, least):
    for length in (least - 1, least):
        values = [9, 8, 7, 6, *[6.5] * length]
        values += np.linspace(5, 1, last - len(values)).tolist()
        plateaus = found("plateau", monitor="val_loss", val_loss=values)
        assert [one.epochs for one in plateaus] == [(5, 4 + length)] * (length == least)


def test_a_standstill_at_the_end_is_none():
    assert found("plateau", monitor="val_loss", val_loss=[*range(9, 0, -1), *[2] * 20]) == []


def test_noise_alone_is_rarely_called_anything():
    count = sum(
        len(found(monitor="val_loss", val_loss=FALL + noise(seed, 0.02))) for seed in range(40)
    )
    assert count <= 2  # of 40 curves


def test_silence_below_ten_epochs():
    assert found(monitor="loss", loss=[1, 1, 9, 1, 1, 9, 1, 1, 1]) == []
