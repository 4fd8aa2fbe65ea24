"""Heads trained together end as those trained alone by Keras."""

import keras
import numpy as np
import pytest

from trackbed.experiments import stacked_heads
from trackbed.networks import backbones
from trackbed.networks.augmentation import Augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.training import batches, loop, optimization

UNITS, ROWS, EPOCHS = 24, 105, 3
LABELS = np.arange(ROWS) % 3
FEATURES = np.random.default_rng(0).normal(size=(ROWS, UNITS)) + 0.4 * LABELS[:, None]
FEATURES = FEATURES.astype(np.float32)
FOLDS = np.arange(ROWS) // 3 % 5
LOSS = optimization.loss("crossentropy", label_smoothing=0.1, gamma=0)
POINTS = [(0.01, 0.0, 0), (0.01, 0.4, 0), (0.002, 0.4, 1)]  # learning rate, dropout, fold


def head(dropout):
    tensorflow_setup.make_deterministic(0)
    return backbones.head("rails", Spec(32, 3, dropout), UNITS)


def optimizer(name, rate, average):
    return optimization.optimizer(name, rate, weight_decay=0.1, average=average)


def cosine(rate):
    steps = EPOCHS * batches.steps(84, 32)
    options = {"decay_rate": 0.5, "decay_steps": 1, "steps": steps, "warmup": 2}
    return optimization.learning_rate("cosine", rate, **options)


class Kept(keras.callbacks.Callback):
    """Keeps the losses of every epoch."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append((logs["loss"], logs["val_loss"]))


def alone(name, average, rate, dropout, fold, **plan):
    kept, model = Kept(), head(dropout)
    parts = fold != FOLDS, fold == FOLDS
    loop.fit(
        model,
        Augmentation(),
        *(batches.Examples(FEATURES[part], LABELS[part]) for part in parts),
        phases=[optimization.Phase(EPOCHS, optimizer(name, cosine(rate), average))],
        loss=LOSS,
        plan=loop.Plan(batch=32, patience=EPOCHS, seed=0, **plan),
        callbacks=[kept],
    )
    return np.array(kept.rows)


def together(name, average, weights=np.ones_like, share=lambda weights: None):
    heads = []
    for rate, dropout, fold in POINTS:
        rows, held_out = np.flatnonzero(fold != FOLDS), np.flatnonzero(fold == FOLDS)
        weight = optimization.class_weights(LABELS[rows])
        heads.append(
            stacked_heads.Head(
                head(dropout), rate / 0.01, dropout, rows, held_out, weights(weight), share(weight)
            )
        )
    curves = stacked_heads.fit(
        heads,
        FEATURES,
        np.eye(3, dtype=np.float32)[LABELS],
        optimizer=lambda rates: optimizer(name, rates, average),
        rate=cosine(0.01),
        loss=LOSS,
        epochs=EPOCHS,
        batch=32,
        seed=0,
    )
    truth = [np.eye(3, dtype=np.float32)[LABELS[head.validation]] for head in heads]
    validation = [
        [float(np.mean(LOSS.call(true, found))) for true, found in zip(truth, row, strict=True)]
        for row in curves.probabilities
    ]
    return np.stack([curves.loss, validation], axis=2).swapaxes(0, 1)


@pytest.mark.parametrize(("name", "average"), [("adamw", 0.9), ("sgd", 0.0)])
def test_every_head_has_the_losses_that_it_has_alone(name, average):
    found = together(name, average)
    for number, point in enumerate(POINTS):
        np.testing.assert_allclose(found[number], alone(name, average, *point), rtol=2e-4)


def test_class_weights_and_balanced_sampling_too():
    found = together("adam", 0.0, np.array, lambda weight: weight / weight.sum(dtype=float))
    plan = {"class_weights": True, "balanced_sampling": True}
    np.testing.assert_allclose(found[1], alone("adam", 0.0, *POINTS[1], **plan), rtol=2e-4)
