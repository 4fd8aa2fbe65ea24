from types import SimpleNamespace

import pandas as pd
import pytest

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
