"""Train a network on images in memory, reproducibly."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trackbed.learning import batches
from trackbed.problems import Problem


@dataclass(frozen=True)
class Examples:
    """Images (uint8; images, side, side, 3) and labels (int; images)."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What a training run came to; epochs count from 1, seconds are of the wall clock."""

    best_epoch: int
    epochs: int
    stopped_early: bool
    seconds: float


def reproducible(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, and let TensorFlow use deterministic operations only."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    network: keras.Model,
    augmentation: Sequence[keras.layers.Layer],
    training: Examples,
    validation: Examples,
    *,
    optimizer: keras.optimizers.Optimizer,
    label_smoothing: float,
    epochs: int,
    batch: int,
    patience: int,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> Outcome:
    """Train the network in place and leave it with the weights of the lowest validation loss.

    The augmentation stands in front of the network while it trains and is no part of it.
    Raises Problem as soon as the loss is not finite.
    """
    classes = network.output_shape[-1]
    whole = keras.Sequential([keras.Input(network.input_shape[1:]), *augmentation, network])
    whole.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing),
        metrics=["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")],
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    best = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=patience, restore_best_weights=True
    )
    begun = time.perf_counter()
    history = whole.fit(
        batches.shuffled(training.images, one_hot(training, classes), batch=batch, seed=seed),
        steps_per_epoch=batches.steps(len(training.images), batch),
        epochs=epochs,
        validation_data=batches.in_order(
            validation.images, one_hot(validation, classes), batch=batch
        ),
        callbacks=[*averaging(optimizer), best, RefuseDivergence(), *callbacks],
        shuffle=False,  # the batches come shuffled
        verbose=0,
    )
    return Outcome(
        best_epoch=best.best_epoch + 1,
        epochs=len(history.epoch),
        stopped_early=best.stopped_epoch > 0,
        seconds=round(time.perf_counter() - begun, 1),
    )


def averaging(optimizer: keras.optimizers.Optimizer) -> list[keras.callbacks.Callback]:
    """Callbacks that validate and keep the averaged weights, if the optimizer averages them."""
    if not optimizer.use_ema:
        return []
    return [
        keras.callbacks.SwapEMAWeights(),  # while validating
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),  # while the best weights are kept
    ]


def one_hot(examples: Examples, classes: int) -> np.ndarray:
    """Labels as float32 of shape (images, classes)."""
    return keras.utils.to_categorical(examples.labels, classes).astype(np.float32)


class RefuseDivergence(keras.callbacks.Callback):
    """Ends the run with a Problem at the first batch or epoch whose loss is not finite.

    Keras' TerminateOnNaN stops quietly, and the run would count as a success.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the mean loss of the epoch so far."""
        self._refuse(logs["loss"], f"batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the validation loss: weights that are not finite show there at the latest."""
        self._refuse(logs["val_loss"], "validation")

    def _refuse(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise Problem(
                f"loss became {loss} at epoch {self.epoch + 1}, {where}; "
                f"lower train.learning_rate (now {float(self.model.optimizer.learning_rate):g})."
            )
