import pytest

from trackbed.training.early_stopping import BestEpoch, RateFactor, is_better


@pytest.mark.parametrize(
    ("monitor", "value", "expected"),
    [
        *[("val_loss", 0.4, True), ("val_loss", 0.6, False), ("loss", 0.5, False)],
        *[("val_macro_f1", 0.6, True), ("accuracy", 0.4, False), ("val_accuracy", 0.5, False)],
    ],
)
def test_lower_losses_and_higher_scores_are_better(monitor, value, expected):
    assert is_better(monitor, value, 0.5) is expected


def test_the_first_of_equal_epochs_is_the_best_until_patience_ends():
    best = BestEpoch("val_loss", patience=2)
    found = [best.add({"val_loss": value}) for value in (0.9, 0.4, 0.4)]
    assert (found, best.epoch, best.stopped) == ([True, True, False], 1, False)
    best.add({"val_loss": 0.5})
    assert (best.epoch, best.epochs, best.stopped) == (1, 4, True)
    assert best.logs == {"val_loss": 0.4}


def test_the_rate_falls_after_epochs_without_enough_improvement():
    factor = RateFactor("val_loss", 0.5, patience=2)
    values = []
    for loss in (0.9, 0.8, 0.79995, 0.7999, 0.5, 0.6, 0.6, 0.6, 0.6):
        factor.add({"val_loss": loss})
        values.append(factor.value)
    # 0.79995 and 0.7999 are less than 0.0001 below 0.8, or just as much.
    assert values == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
