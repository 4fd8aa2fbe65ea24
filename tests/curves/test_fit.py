"""Verdicts on made-up curves whose story is known."""

import histories
import numpy as np
import pytest

from trackbed.curves.fit import findings, fit

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


def test_the_gap_begins_where_both_losses_are_finite():
    one = fit(histories.made(loss=FALL, val_loss=np.r_[np.inf, FALL[1:] + 0.3]))
    assert (one.gap.first_epoch, one.gap.first) == (2, pytest.approx(0.3))


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
    assert (one.verdict, one.because) == ("unstable", "loss not finite at the end")


def found(**values):
    return [(str(one.verdict), one.column) for one in findings(histories.made(**values))]


def test_a_rising_loss_with_swings_over_fits_and_is_unstable():
    swings = np.where(EPOCHS % 2, 0.1, -0.1) * (EPOCHS > 10)
    rise = np.where(EPOCHS > 10, 0.02 * (EPOCHS - 10), 0)
    values = np.where(EPOCHS > 10, 0.23, 0.6 - 0.037 * EPOCHS) + rise + swings
    every = found(loss=0.6 * np.exp(-EPOCHS / 10), val_loss=values)
    assert every == [("over-fitting", "val_loss"), ("unstable", "val_loss")]


def test_the_bend_of_a_smooth_rise_is_no_swing():
    rise = np.where(EPOCHS > 10, ((EPOCHS - 10) / 10.0) ** 3, 0)
    assert found(loss=FALL, val_loss=FALL + 0.3 + rise) == [("over-fitting", "val_loss")]


def test_a_validation_loss_that_is_never_a_number_comes_first():
    every = found(loss=3 - 0.05 * EPOCHS, val_loss=np.full(40, np.nan))
    assert every == [("not finite", "val_loss"), ("not converged", "loss")]
    assert found(loss=[1], val_loss=[np.nan]) == [("not finite", "val_loss")]
    assert found(loss=np.full(12, np.inf), val_loss=FALL[:12])[0] == ("not finite", "loss")


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (EPOCHS > 30, [("unstable", "val_loss")]),
        (np.isin(EPOCHS, (3, 9, 10, 22, 30)), [("unstable", "val_loss")]),
        (EPOCHS == 1, []),  # too few to matter, but an anomaly
        (EPOCHS % 5 != 0, []),  # validated every five epochs
        (EPOCHS < 15, []),  # validated from then on
    ],
)
def test_values_that_break_and_values_logged_now_and_then(missing, expected):
    assert found(loss=FALL, val_loss=np.where(missing, np.nan, FALL)) == expected


def test_a_score_that_still_rises_beside_a_level_one_has_not_converged():
    settled = np.r_[1, 0.6, 0.45, 0.41, 0.4, [0.4] * 5]
    level = np.r_[0.5, 0.7, 0.8, 0.84, 0.85, [0.85] * 5]
    values = {"val_accuracy": level, "val_f1": np.linspace(0.1, 0.6, 10)}
    assert found(loss=settled, val_loss=settled, **values) == [("not converged", "val_f1")]
    error = {"val_error_rate": np.linspace(0.9, 0.4, 10)}
    assert found(loss=settled, val_loss=settled, **error) == [("not converged", "val_error_rate")]


def test_scores_are_looked_at_without_a_validation_loss():
    rising = np.linspace(0.1, 0.6, 40)
    assert found(loss=FALL, val_acc=rising) == [("not converged", "val_acc")]
    both = [("not converged", "val_acc"), ("over-fitting", "acc")]
    assert found(val_acc=rising, acc=1 - FALL / 3) == both
    level = np.full(40, 0.5)
    assert found(val_acc=level, acc=level) == [("under-fitting", "acc")]
    assert found(val_acc=rising[:9]) == []


def test_a_training_loss_that_rises_is_no_over_fitting():
    rise = np.where(EPOCHS > 10, 0.2 * (EPOCHS - 10), 0)
    (one,) = findings(histories.made(loss=FALL + rise, val_loss=FALL + 1.2 * rise))
    assert (one.verdict, one.because, one.epoch) == ("unstable", "training loss rises", 10)


def test_a_validation_loss_that_stays_while_training_falls_over_fits():
    one = fit(histories.made(loss=FALL, val_loss=np.full(40, 0.7)))
    assert (one.verdict, one.because) == ("over-fitting", "validation loss stays")


@pytest.mark.parametrize("factor", [1, 1e6, 1e-6])
@pytest.mark.parametrize("shift", [0, -3])
def test_units_and_negative_losses_change_no_verdict(factor, shift):
    rise = np.where(EPOCHS > 10, 0.05 * (EPOCHS - 10), 0)
    bad, good = FALL + 0.3 + rise + shift, FALL + 0.3 + shift
    train = factor * (FALL + shift)
    assert found(loss=train, val_loss=factor * bad) == [("over-fitting", "val_loss")]
    assert fit(histories.made(loss=train, val_loss=factor * good)).verdict == "good fit"


def test_one_part_alone_is_no_fit_but_may_have_findings():
    rise = np.where(EPOCHS > 10, 0.05 * (EPOCHS - 10), 0)
    assert found(val_loss=FALL + rise) == [("over-fitting", "val_loss")]
    assert found(loss=FALL) == []
    assert fit(histories.made(val_loss=FALL)) is None


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
