from types import SimpleNamespace

import histories
import numpy as np
import pandas as pd
import pytest

from trackbed.curves.analysis import analysis
from trackbed.reporting import training_advice


def run(*, images=400, classes=4, epochs=50, scores=None, train=None, summary=None, accuracy=1.0):
    """A run with the training images in five equal folds, the first of which validates."""
    folds = pd.Series(range(images)) % 5
    return SimpleNamespace(
        data=SimpleNamespace(
            index=pd.DataFrame({"part": "train", "fold": folds}),
            counts=pd.DataFrame({"train": [images // classes] * classes}),
        ),
        training=SimpleNamespace(
            summary={"epochs": epochs, "best_epoch": epochs} | (summary or {}),
            curves=pd.DataFrame({"train/accuracy": accuracy}, index=range(1, epochs + 1)),
        ),
        evaluation=SimpleNamespace(scores={"not_above_baseline": 1} | (scores or {})),
        params={
            "train": {"batch": "32", "epochs": str(epochs), "fold": "0", "average": "0.99"}
            | (train or {})
        },
    )


def last_epoch(averaged, raw):
    return {"last_epoch": {"averaged": {"val_accuracy": averaged}, "raw": {"val_accuracy": raw}}}


def test_an_average_that_lags_behind_is_named():
    text = training_advice.lagging_average(run(images=100, summary=last_epoch(0.26, 0.69)))
    assert "0.260" in text
    assert "0.690" in text
    assert "lower train.average (now 0.99; 0: no average)" in text


# 20 validation images: one standard error of the difference of 0.5 and 0.7 is 0.15.
@pytest.mark.parametrize(("averaged", "raw"), [(0.69, 0.26), (0.5, 0.7), (0.9, 0.9)])
def test_an_average_that_is_as_good_or_better_calls_for_nothing(averaged, raw):
    summary = last_epoch(averaged, raw)
    assert training_advice.lagging_average(run(images=100, summary=summary)) == ""


def test_a_run_without_an_average_calls_for_nothing():
    assert training_advice.lagging_average(run()) == ""


def test_a_model_above_its_baseline_calls_for_nothing():
    assert training_advice.below_baseline(run(scores={"not_above_baseline": 0})) == ""


def test_few_steps_and_few_images_are_both_named():
    # 100 images, 80 of them for training: 3 steps of 32 an epoch, 20 images for each of 4 classes.
    text = training_advice.below_baseline(run(images=100, epochs=2))
    assert "The training had 6 steps of the optimizer" in text
    assert "raise train.epochs (now 2) or lower train.batch (now 32)" in text
    assert "It has 20 training images per class" in text
    assert "train.weights: imagenet" in text


def test_a_training_that_stopped_early_needs_patience():
    summary = {"stopped_early": True}
    text = training_advice.below_baseline(
        run(images=100, epochs=25, summary=summary, train={"patience": "20"})
    )
    assert "raise train.patience (now 20) or lower train.batch (now 32)" in text


def test_a_training_that_under_fits_is_named():
    text = training_advice.below_baseline(run(images=4000, accuracy=0.6))
    assert "The accuracy on the training images is 0.600: the network under-fits" in text


def test_a_gain_within_chance_asks_for_test_images():
    text = training_advice.below_baseline(run(images=4000, scores={"above_baseline": 0.01}))
    assert "too small to show that" in text


@pytest.mark.parametrize(("weights", "remedy"), [("none", "train.weights"), ("imagenet", "Unfre")])
def test_otherwise_another_network_is_advised(weights, remedy):
    text = training_advice.below_baseline(run(images=4000, train={"weights": weights}))
    assert remedy in text


def test_a_best_epoch_at_the_end_wants_more_epochs():
    assert training_advice.unfinished({"best_epoch": 50, "epochs": 50}, None) == (
        "The last epoch, 50, is the best: train for more epochs (train.epochs)."
    )
    stopped = {"best_epoch": 9, "epochs": 9, "stopped_early": True}
    assert training_advice.unfinished(stopped, None) == ""


EPOCHS = np.arange(1, 41)
FALL = 2 * np.exp(-EPOCHS / 4)


def test_a_loss_that_still_falls_wants_more_epochs():
    def found(values):
        run = analysis(histories.made(loss=values, val_loss=values))
        return training_advice.unfinished({"best_epoch": 39, "epochs": 40}, run)

    assert "val_loss still improved at the end of 40 epochs" in found(FALL + 0.05 * (40 - EPOCHS))
    assert found(FALL) == ""


@pytest.mark.parametrize(
    ("rise", "training", "expected"), [(0.05, 0.99, True), (0.05, 0.93, False), (0, 0.99, False)]
)
def test_overfitting_needs_the_verdict_and_a_gap(rise, training, expected):
    over = np.where(EPOCHS > 10, rise * (EPOCHS - 10), 0)
    history = histories.made(
        loss=FALL,
        val_loss=FALL + 0.3 + over,
        macro_f1=np.full(40, training),
        val_macro_f1=np.full(40, 0.9),
    )
    found = training_advice.overfitting(analysis(history), {"dropout": "0.3"})
    assert bool(found) == expected
    assert not expected or ("validation at 0.900" in found and "(now 0.3)" in found)


def test_waiting_for_images_above_a_fifth():
    text = training_advice.waiting(0.25)
    assert text.startswith("Training waited for images in 25.0 % of its time")
    assert training_advice.waiting(0.2) == training_advice.waiting(None) == ""
