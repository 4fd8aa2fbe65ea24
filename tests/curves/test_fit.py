"""Verdicts on made-up curves whose story is known."""

import histories
import numpy as np
import pytest

from trackbed.curves.fit import fit

EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)


def noise(size, seed=0):
    return size * np.random.default_rng(seed).normal(size=len(EPOCHS))


def test_a_validation_loss_that_rises_from_epoch_10_over_fits():
    rise = np.where(EPOCHS > 10, 0.05 * (EPOCHS - 10), 0)
    one = fit(histories.made(loss=FALL, val_loss=FALL + 0.3 + rise))
    assert (one.verdict, one.onset) == ("over-fitting", 10)
    # Both losses fall alike: the gap grows by what the validation loss rises by.
    assert one.growth.slope == pytest.approx(0.05)
    assert one.gap.best == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.02, "good fit"), (0.09, "good fit"), (0.11, "over-fitting")]
)
def test_a_rise_counts_from_a_tenth_of_the_fall_on(share, verdict):
    settled = np.where(EPOCHS < 20, FALL, FALL[19])
    step = np.clip((EPOCHS - 20) / 10, 0, 1)  # the last quarter, from epoch 31 on, is level
    rise = share * (settled[0] - settled[-1]) * step
    one = fit(histories.made(loss=FALL, val_loss=settled + 0.3 + rise))
    assert one.rise_share == pytest.approx(share, rel=0.02)
    assert one.verdict == verdict


def test_a_gap_of_the_scores_over_fits_though_the_loss_stays():
    accuracy = 1 - FALL / 3
    one = fit(
        histories.made(
            loss=FALL,
            val_loss=FALL + 0.3,
            accuracy=accuracy,
            val_accuracy=np.minimum(accuracy, 0.75),
        )
    )
    assert (one.verdict, one.because) == ("over-fitting", "score gap")
    first = EPOCHS[accuracy - 0.75 >= 0.10][0]
    assert one.onset == first


@pytest.mark.parametrize("unit", [1, 100])
def test_a_training_score_far_below_1_under_fits_in_percent_too(unit):
    accuracy = unit * (0.5 - FALL / 10)
    one = fit(histories.made(loss=FALL + 1, val_loss=FALL + 1, acc=accuracy, val_acc=accuracy))
    assert one.verdict == "under-fitting"
    assert one.training_score == pytest.approx(0.5, abs=0.01)


def test_a_loss_that_never_fell_learned_nothing():
    one = fit(histories.made(loss=np.full(40, 1.6), val_loss=np.full(40, 1.6)))
    assert (one.verdict, one.because) == ("under-fitting", "training loss did not fall")


def test_a_loss_that_still_falls_has_not_converged():
    line = 3 - 0.05 * EPOCHS
    one = fit(histories.made(loss=line + noise(0.01), val_loss=line + noise(0.01, 1)))
    assert one.verdict == "not converged"
    assert one.tail.low < -0.05 < one.tail.high


def test_a_loss_that_jumps_about_is_unstable():
    one = fit(histories.made(loss=FALL, val_loss=1 + FALL + np.abs(noise(1.0))))
    assert (one.verdict, one.because) == ("unstable", "scatter")


def test_a_training_loss_that_broke_is_unstable():
    broken = np.where(EPOCHS > 30, np.nan, FALL)
    one = fit(histories.made(loss=broken, val_loss=broken))
    assert (one.verdict, one.because) == ("unstable", "training loss not finite")


@pytest.mark.parametrize("seed", range(20))
def test_noise_on_a_settled_curve_is_a_good_fit(seed):
    validation = FALL + 0.4 + noise(0.05, seed)
    assert fit(histories.made(loss=FALL, val_loss=validation)).verdict == "good fit"


def test_small_rises_after_a_good_start_are_no_over_fitting():
    # The validation loss trebles, but its scatter is as large: nothing is known to rise.
    values = 0.004 + np.abs(noise(0.002))
    assert fit(histories.made(loss=FALL, val_loss=values)).verdict == "good fit"


def test_several_losses_are_added_up():
    columns = {"train/box_loss": FALL, "train/cls_loss": FALL, "val/box_loss": FALL + 0.1}
    one = fit(histories.made(**columns, **{"val/cls_loss": FALL + 0.2}))
    assert one.losses == "box_loss + cls_loss"
    assert one.gap.last == pytest.approx(0.3)


def test_silence_where_there_is_too_little():
    assert fit(histories.made(loss=FALL[:9], val_loss=FALL[:9])) is None
    assert fit(histories.made(loss=FALL)) is None
