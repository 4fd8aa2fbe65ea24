"""Train a network on images in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trackbed.networks.augmentation import Augmentation
from trackbed.networks.geometry import Geometry
from trackbed.training import batch_normalization, batches, sampling
from trackbed.training.batches import Examples
from trackbed.training.callbacks import Best, RawWeights, RefuseDivergence, averaging
from trackbed.training.early_stopping import Outcome
from trackbed.training.optimization import Phase
from trackbed.training.resources import InputWait
from trackbed.training.resume import KeepState, State, Store


@dataclass(frozen=True)
class Plan:
    """How to go through the images, and which epoch is the best; keys of section `train`."""

    batch: int
    patience: int  # epochs
    seed: int
    monitor: str = "val_loss"
    class_weights: bool = False
    balanced_sampling: bool = False
    initial_scale: float = 1.0  # see batches.progressive_sides
    ghost_batches: int = 1  # see batch_normalization.GhostBatches

    @classmethod
    def of(cls, p: Any) -> "Plan":
        """The plan of section `train` of params.yaml; its last two keys are for small_cnn only."""
        plan = cls(**{field.name: getattr(p, field.name) for field in fields(cls)})
        if p.network == "small_cnn":
            return plan
        return replace(plan, initial_scale=1.0, ghost_batches=p.parts)


def fit(
    network: keras.Model,
    augmentation: Augmentation,
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
    """Train the network in place; it ends with the weights of its best epoch.

    The best epoch is the first with the lowest monitored loss, or with the highest value of
    another monitored metric; every phase starts from the best weights so far. The augmentation
    does not become part of the network. `waiting` counts the seconds spent waiting for batches.
    With a `store` the run continues from the state found there, and writes its own state there.
    Raises Diverged as soon as a loss, a metric or a weight is not finite; the network then has the
    weights of the best finished epoch, if there is one.
    """
    momentum = batch_normalization.prepare(network, plan.ghost_batches)
    augmented = _augmented(network, augmentation, plan)
    epochs = sum(phase.epochs for phase in phases)
    classes = network.output_shape[-1]
    validation_batches = batches.in_order(
        validation.images, one_hot(validation.labels, classes), batch=plan.batch
    )
    full = batches.first_full_epoch(plan.initial_scale, epochs)
    best = Best(plan.monitor, plan.patience, earliest=full)
    steps = batches.steps(len(training.images), plan.batch)
    state = (store.read() if store else None) or State()
    raw = RawWeights()
    keeper = KeepState(store, state, best, callbacks) if store else None
    best.epochs = state.epochs
    for number, phase in enumerate(phases[state.phase :], state.phase):
        phase.prepare()
        first_epoch = state.first_epoch if number == state.phase else best.epochs
        momentum.follow(phase.optimizer, first=number == 0)
        compile_model(augmented, phase.optimizer, loss)
        _create_variables(augmented)
        training_batches = mixed(
            _shuffled(training, classes, plan, best.epochs, augmentation.geometry, epochs),
            augmentation.mixers,
            best.epochs * steps,
        )
        with best.restored_on_divergence():
            augmented.fit(
                waiting.timed(training_batches) if waiting else training_batches,
                steps_per_epoch=steps,
                initial_epoch=best.epochs,
                epochs=first_epoch + phase.epochs,
                validation_data=validation_batches,
                callbacks=[
                    *([raw, *swap] if (swap := averaging(phase.optimizer)) else []),
                    RefuseDivergence(),
                    best,
                    *callbacks,
                    *([keeper.of(number, first_epoch)] if keeper else []),
                ],
                shuffle=False,  # the batches come shuffled
                verbose=0,
            )
    early = best.epochs < epochs
    return Outcome(best.best_epoch + 1, best.epochs, early, raw.scores(validation_batches))


class MacroF1(keras.metrics.F1Score):
    """Macro F1 of the epoch log, by the rule of docs/scores.md, as the other stages compute it.

    Classes without images are left out; of equal probabilities the first counts. Keras' F1Score
    counts such classes as 0, and takes all of several equal probabilities as predicted.
    """

    def __init__(self) -> None:
        super().__init__(average=None, name="macro_f1")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch; y_true and y_pred: float, shape (images, classes)."""
        predicted = keras.ops.one_hot(keras.ops.argmax(y_pred, axis=-1), y_pred.shape[-1])
        super().update_state(y_true, predicted, sample_weight)

    def result(self) -> Any:
        """The mean F1 of the classes that have images, 0 without any."""
        present = self.true_positives + self.false_negatives > 0
        scores = keras.ops.where(present, super().result(), 0.0)
        count = keras.ops.sum(keras.ops.cast(present, scores.dtype))
        return keras.ops.sum(scores) / keras.ops.maximum(count, 1.0)


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: keras.losses.Loss
) -> None:
    """Compile with accuracy and macro F1; with XLA only on a GPU, since it is slower on a CPU."""
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=["accuracy", MacroF1()],
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )


def _sides(training: Examples, plan: Plan, epochs: int) -> Callable[[int], int] | None:
    """The side of the training images by the epoch, None where it is always the full one."""
    if plan.initial_scale == 1:
        return None
    return batches.progressive_sides(training.images.shape[2], plan.initial_scale, epochs)


def _augmented(network: keras.Model, augmentation: Augmentation, plan: Plan) -> keras.Sequential:
    """The network, with the layers of the augmentation before it."""
    trained = for_any_side(network) if plan.initial_scale < 1 else network
    taken = trained
    if plan.ghost_batches > 1:
        taken = batch_normalization.GhostBatches(trained, plan.ghost_batches)
    return keras.Sequential([keras.Input(trained.input_shape[1:]), *augmentation.layers, taken])


def for_any_side(network: keras.Model) -> keras.Model:
    """The network with the same layers and weights, for images of any side.

    It must consist of layers that allow it, such as those of small_cnn.
    """
    return keras.models.clone_model(
        network,
        input_tensors=keras.Input((None, None, network.input_shape[-1])),
        clone_function=lambda layer: layer,
        call_function=lambda layer, *tensors, **options: layer(*tensors, **options),
    )


def _create_variables(model: keras.Model) -> None:
    """Create the variables of optimizer and metrics; a step that does so is traced twice."""
    model.optimizer.build(model.trainable_variables)
    anything = np.eye(1, model.output_shape[-1], dtype=np.float32)
    model.compute_metrics(x=None, y=anything, y_pred=anything)
    model.reset_metrics()


def first_order(labels: np.ndarray, plan: Plan) -> np.ndarray:
    """The rows of the first epoch in the order in which `fit` takes them: int, shape (rows,)."""
    return sampling.epoch_rows(len(labels), plan.seed, 0, _share(labels, plan))[0]


def _share(labels: np.ndarray, plan: Plan) -> np.ndarray | None:
    """How probable each row is with plan.balanced_sampling; else None: each once an epoch."""
    if not plan.balanced_sampling:
        return None
    weights = sampling.class_weights(labels)
    return weights / weights.sum(dtype=float)


def _shuffled(
    training: Examples,
    classes: int,
    plan: Plan,
    first_epoch: int,
    geometry: Geometry | None,
    epochs: int,
) -> tf.data.Dataset:
    """Endless training batches from an epoch on: inputs, one-hot labels, weights if any."""
    arrays = [training.images, one_hot(training.labels, classes)]
    if plan.class_weights:
        arrays.append(sampling.class_weights(training.labels))
    return batches.shuffled(
        *arrays,
        batch=plan.batch,
        seed=plan.seed,
        first_epoch=first_epoch,
        share=_share(training.labels, plan),
        geometry=geometry,
        sides=_sides(training, plan, epochs),
    )


def mixed(
    dataset: tf.data.Dataset, mixers: Sequence[keras.layers.Layer], first: int = 0
) -> tf.data.Dataset:
    """The batches with images and labels mixed by the layers; weights stay as they are.

    `first` is the number of the first batch in the whole run: from it follows the random state
    of the layers, so that a resumed run mixes as an uninterrupted one. The state of a layer
    cannot be stored instead, because TensorFlow prepares batches ahead of the training.
    """

    def mix(images: tf.Tensor, labels: tf.Tensor, *weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        both = {"images": tf.cast(images, tf.float32), "labels": labels}
        for mixer in mixers:
            both = mixer(both, training=True)
        return both["images"], both["labels"], *weights

    for mixer in mixers:
        _seek(mixer, first)
    return dataset.map(mix) if mixers else dataset


def _seek(mixer: keras.layers.Layer, batch: int) -> None:
    """Set the random state of a layer to that before the batch of this number, counted from 0."""
    seed, before = (int(value) for value in keras.ops.convert_to_numpy(mixer.generator.state))
    mixer({"images": np.zeros((2, 1, 1, 3)), "labels": np.eye(2)}, training=True)
    draws = int(keras.ops.convert_to_numpy(mixer.generator.state)[1]) - before  # per batch
    mixer.generator.state.assign([seed, batch * draws])


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels as float32 of shape (images, classes)."""
    return keras.utils.to_categorical(labels, classes).astype(np.float32)
