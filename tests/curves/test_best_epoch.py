"""The best epoch and early stopping, on curves that can be read off."""

import histories
import pytest

from trackbed.curves import best_epoch
from trackbed.pipeline.errors import UserError


def found(values, patience=None, **options):
    history = histories.made(val_loss=values, **options)
    return best_epoch.best(history, history.column("val_loss"), patience)


def test_the_first_of_ties_is_best_and_ties_are_no_improvement():
    one = found([3, 2, 1, 1, 2, 1])
    assert (one.epoch, one.value, one.tied) == (3, 1, (3, 4, 6))
    assert one.so_far == (1, 2, 3)
    assert (one.epochs_since, one.last, one.worse_by) == (3, 1, 0)


def test_of_a_score_the_highest_is_best():
    history = histories.made(val_accuracy=[0.5, 0.9, 0.7])
    one = best_epoch.best(history, history.column("val_accuracy"))
    assert (one.epoch, one.value) == (2, 0.9)
    assert one.worse_by == pytest.approx(0.2)


def test_infinite_and_missing_values_are_never_best():
    one = found([float("inf"), 3, float("nan"), float("-inf"), 2])
    assert (one.epoch, one.value, one.so_far) == (5, 2, (2, 5))


@pytest.mark.parametrize(
    ("values", "verdict", "patience"),
    [
        ([5, 4, 4.5, 3, 3.5, 3.5, 3.5], "likely", 3),  # waited 1 before, 3 at its end
        ([5, 4, 9, 9, 9, 3, 3.5, 3.5], "no", None),  # waited 3 before, 2 at its end
        ([5, 4, 3], "no", None),  # its best is its last
        ([5, 4, 5], "open", 1),  # one epoch says little
        ([9, 8, 7, 6, 5, 6, 6, 6, 6, 6], "open", 5),  # ten epochs: may be its planned end
        ([1, 2, 2, 2, 2], "open", 4),  # so may five
    ],
)
def test_what_the_waits_say_of_early_stopping(values, verdict, patience):
    stop = found(values).stop
    assert (stop.verdict, stop.patience) == (verdict, patience)


def test_a_given_patience_decides():
    values = [5, 4, 4.5, 4.5, 3, 3.5, 3.5, 3.5]
    assert found(values, patience=3).stop.verdict == "yes"
    assert found(values, patience=4).stop.verdict == "no"
    assert found(values, patience=2).stop.because == "would have stopped before"


def test_a_patience_of_0_stops_like_one_of_1():
    # keras.callbacks.EarlyStopping compares `wait >= patience` after a first epoch without gain.
    assert found([3, 2, 1], patience=0).stop.verdict == "no"
    assert found([3, 2, 2.5], patience=0).stop.verdict == "yes"


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"planned_epochs": 7}, "no"),
        ({"planned_epochs": 7, "patience": 100}, "no"),
        ({"planned_epochs": 50, "patience": 3}, "yes"),
        ({"planned_epochs": 50}, "likely"),
    ],
)
def test_the_planned_epochs_decide(facts, verdict):
    assert found([5, 4, 4.5, 3, 3.5, 3.5, 3.5], facts=facts).stop.verdict == verdict


def test_a_column_without_a_finite_value_cannot_be_monitored():
    history = histories.made(loss=[1, 2], val_loss=[float("nan")] * 2)
    with pytest.raises(UserError, match="'val_loss' is not a finite number in any epoch"):
        best_epoch.monitored(history, "val_loss")
    assert best_epoch.monitored(history).name == "loss"


def test_the_word_of_the_log_goes_first():
    assert found([2, 1, 1.5], facts={"stopped_early": True}).stop.verdict == "yes"
    assert found([2, 1, 1.5, 1.5, 1.5], facts={"stopped_early": False}).stop.verdict == "no"


def test_what_is_monitored():
    history = histories.made(loss=[1, 2], val_loss=[1, 2], val_accuracy=[0, 1])
    assert best_epoch.monitored(history).name == "val_loss"
    assert best_epoch.monitored(history, "VAL-accuracy").name == "val_accuracy"
    history = histories.made(loss=[1], val_accuracy=[0], facts={"monitor": "val/accuracy"})
    assert best_epoch.monitored(history).name == "val_accuracy"
    with pytest.raises(UserError, match="Did you mean 'val_accuracy'"):
        best_epoch.monitored(history, "val_acuracy")
