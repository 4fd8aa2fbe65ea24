"""Train a network on images, or its head on embeddings, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from trackbed.training import batches, fast_batchnorm, optimization
from trackbed.training.batches import Examples
from trackbed.training.callbacks import Best, RefuseDivergence, averaging
from trackbed.training.optimization import Phase
from trackbed.training.resources import InputWait
from trackbed.training.resume import Keeper, State, Store

IMAGES_DIMENSIONS = 4  # images, height, width, channels; embeddings have 2 or 3


# The keys of section `train` in params.yaml that are fields of Plan.
PLANNED = ("batch", "patience", "seed", "monitor", "class_weights", "balanced_sampling")


@dataclass(frozen=True)
class Plan:
    """How to go through the images, and which epoch counts as the best."""

    batch: int
    patience: int  # epochs
    seed: int
    monitor: str = "val_loss"
    class_weights: bool = False
    balanced_sampling: bool = False


@dataclass(frozen=True)
class Outcome:
    """Which epoch's weights the network has, of how many; epochs count from 1."""

    best_epoch: int
    epochs: int
    stopped_early: bool


def fit(
    network: keras.Model,
    augmentation: tuple[Sequence[keras.layers.Layer], Sequence[keras.layers.Layer]],
    training: Examples,
    validation: Examples,
    *,
    phases: Sequence[Phase],
    loss: keras.losses.Loss,
    plan: Plan,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    waiting: InputWait | None = None,
    store: Store | None = None,
) -> Outcome:
    """Train the network in place and leave it with the weights of its best epoch.

    The best epoch is the first with the lowest monitored loss, or the highest of another
    monitored value; every phase begins with the best weights so far. The augmentation, layers
    that change images and layers that mix images and labels, is no part of the network.
    `waiting` is told how long batches were waited for. With a `store` the run goes on from the
    state found there, and keeps its own there.
    Raises Diverged as soon as a loss, a metric or a weight is not finite; the network then has the
    weights of the best epoch that was finished, if one was.
    """
    changes, mixers = augmentation
    fast_batchnorm.fuse(network)
    whole = keras.Sequential([keras.Input(network.input_shape[1:]), *changes, network])
    classes = network.output_shape[-1]
    checked = batches.in_order(
        validation.images, one_hot(validation.labels, classes), batch=plan.batch
    )
    best, steps = Best(plan.monitor, plan.patience), batches.steps(len(training.images), plan.batch)
    # An epoch of embeddings takes less time than Keras' work between two steps.
    together = steps if training.images.ndim < IMAGES_DIMENSIONS else 1
    state = (store.read() if store else None) or State()
    keeper = Keeper(store, state, best, callbacks) if store else None
    best.epochs = state.epochs
    for number, phase in enumerate(phases[state.phase :], state.phase):
        phase.prepare()
        begins = state.first_epoch if number == state.phase else best.epochs
        compiled(whole, phase.optimizer, loss, steps_per_execution=together)
        drawn = mixed(
            _batches_of_epoch(training, classes, plan, best.epochs), mixers, best.epochs * steps
        )
        with best.restored_on_divergence():
            whole.fit(
                waiting.timed(drawn) if waiting else drawn,
                steps_per_epoch=steps,
                initial_epoch=best.epochs,
                epochs=begins + phase.epochs,
                validation_data=checked,
                callbacks=[
                    *averaging(phase.optimizer),
                    RefuseDivergence(),
                    best,
                    *callbacks,
                    *([keeper.of(number, begins)] if keeper else []),
                ],
                shuffle=False,  # the batches come shuffled
                verbose=0,
            )
    early = best.epochs < sum(phase.epochs for phase in phases)
    return Outcome(best.best_epoch + 1, best.epochs, early)


def compiled(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: keras.losses.Loss,
    *,
    steps_per_execution: int = 1,
) -> None:
    """Compile with accuracy and macro F1; XLA on a GPU alone, on a CPU it is slower."""
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")],
        steps_per_execution=steps_per_execution,
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )


def _batches_of_epoch(training: Examples, classes: int, plan: Plan, epoch: int) -> tf.data.Dataset:
    weights = optimization.class_weights(training.labels)
    arrays = [training.images, one_hot(training.labels, classes)]
    if plan.class_weights:
        arrays.append(weights)
    share = weights / weights.sum(dtype=float) if plan.balanced_sampling else None
    return batches.shuffled(
        *arrays,
        batch=plan.batch,
        seed=plan.seed,
        first_epoch=epoch,
        share=share,
        views=training.images.ndim == 3,
        resident=training.images.ndim < IMAGES_DIMENSIONS,
    )


def mixed(
    drawn: tf.data.Dataset, mixers: Sequence[keras.layers.Layer], first: int = 0
) -> tf.data.Dataset:
    """Batches whose images and labels the layers have mixed; weights stay as they are.

    The layers draw for the batch of number `first`, and those that follow, what they would draw
    for it in a run in one go. TensorFlow asks for batches ahead of the training, so that the
    random state of a layer tells nothing about where the training is.
    """

    def mix(images: tf.Tensor, labels: tf.Tensor, *weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        both = {"images": tf.cast(images, tf.float32), "labels": labels}
        for mixer in mixers:
            both = mixer(both, training=True)
        return both["images"], both["labels"], *weights

    for mixer in mixers:
        _seek(mixer, first)
    return drawn.map(mix) if mixers else drawn


def _seek(mixer: keras.layers.Layer, batch: int) -> None:
    """Set the random state of a layer to what it is before the batch of this number, from 0."""
    seed, begun = (int(value) for value in keras.ops.convert_to_numpy(mixer.generator.state))
    mixer({"images": np.zeros((2, 1, 1, 3)), "labels": np.eye(2)}, training=True)
    draws = int(keras.ops.convert_to_numpy(mixer.generator.state)[1]) - begun  # per batch
    mixer.generator.state.assign([seed, batch * draws])


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels as float32 of shape (images, classes)."""
    return keras.utils.to_categorical(labels, classes).astype(np.float32)
