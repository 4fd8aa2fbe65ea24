"""Train many heads on embeddings at once: folds and settings are the first axis of every weight.

The result of each head equals that of training it alone, up to rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from trackbed.training import batches


@dataclass(frozen=True)
class Head:
    """One head: its initial weights, its settings and its rows of the embeddings.

    model: a Keras head as backbones.head builds it; it is not changed. factor: its learning rate
    divided by that of the optimizer. training, validation: int, row numbers. weights: float32,
    of the training rows in the loss; share: see batches.order.
    """

    model: keras.Model
    factor: float
    dropout: float
    training: np.ndarray
    validation: np.ndarray
    weights: np.ndarray
    share: np.ndarray | None = None


@dataclass(frozen=True)
class Curves:
    """Training losses of the heads, and probabilities of their validation rows.

    loss: float, shape (epochs, heads); probabilities: per epoch and head an
    array (rows, classes).
    """

    loss: np.ndarray
    probabilities: list[list[np.ndarray]]


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule times a factor per head, of shape (heads, 1, 1)."""

    def __init__(self, base: Callable[[tf.Tensor], tf.Tensor], factors: np.ndarray) -> None:
        self.base, self.factors = base, factors.astype(np.float32)[:, None, None]

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rates at a step of the optimizer."""
        return tf.cast(self.base(step), tf.float32) * self.factors


def fit(
    heads: Sequence[Head],
    embedded: np.ndarray,
    labels: np.ndarray,
    *,
    optimizer: Callable[[Rates], keras.optimizers.Optimizer],
    rate: Callable[[tf.Tensor], tf.Tensor],
    loss: keras.losses.Loss,
    epochs: int,
    batch: int,
    seed: int,
) -> Curves:
    """Train heads of equal shape, on equally many training rows, for all epochs.

    embedded: float32, shape (images, units); labels: float32, shape (images, classes). The
    optimizer must work element by element, as Adam, AdamW and SGD do and clipping does not.
    """
    stack = Stack(heads, tf.constant(embedded), tf.constant(labels), loss)
    chosen = optimizer(Rates(rate, np.array([head.factor for head in heads])))
    chosen.build(stack.weights)
    step, whole = _compiled(stack, chosen), batch * (len(heads[0].training) // batch)
    losses, probabilities = [], []
    for epoch in range(epochs):
        rows, weights = _random_batches(heads, seed, epoch)
        total = batch * step(_steps(rows[:, :whole], batch), _steps(weights[:, :whole], batch))
        if whole < rows.shape[1]:
            total += (rows.shape[1] - whole) * step(rows[None, :, whole:], weights[None, :, whole:])
        losses.append(np.asarray(total) / rows.shape[1])
        probabilities.append(_validation_probabilities(stack, chosen))
    return Curves(np.array(losses), probabilities)


class Stack:
    """All heads as one network: kernels (heads, in, out) and biases (heads, 1, out)."""

    def __init__(
        self, heads: Sequence[Head], embedded: tf.Tensor, labels: tf.Tensor, loss: keras.losses.Loss
    ) -> None:
        self.heads, self.embedded, self.labels, self.loss = heads, embedded, labels, loss
        initial = [[weight.numpy() for weight in head.model.trainable_weights] for head in heads]
        self.weights = [
            keras.Variable(
                stacked if stacked.ndim == 3 else stacked[:, None],
                name="kernel" if stacked.ndim == 3 else "bias",
            )
            for stacked in map(np.stack, zip(*initial, strict=True))
        ]
        rates = np.array([head.dropout for head in heads], np.float32)[:, None, None]
        self.kept, self.scale = tf.constant(rates), tf.constant(1 / (1 - rates))
        self.seeds = next((found for head in heads if (found := _seeds(head.model))), None)

    def probabilities(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """Probabilities (heads, rows, classes) of embeddings (heads, rows, units)."""
        *hidden, last = zip(weights[::2], weights[1::2], strict=True)
        for kernel, bias in hidden:
            x = tf.nn.relu(tf.matmul(x, kernel) + bias)
        return tf.nn.softmax(tf.matmul(x, last[0]) + last[1])

    def dropped(self, x: tf.Tensor) -> tf.Tensor:
        """Dropout: the noise that each head would get alone, the same for all, and its own rate."""
        if self.seeds is None:
            return x
        noise = tf.random.stateless_uniform(x.shape[1:], tf.cast(self.seeds.next(), tf.int32))
        return tf.where(noise[None] >= self.kept, x * self.scale, 0.0)

    def losses(self, rows: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Mean loss of every head on rows, weighted, both (heads, batch): shape (heads,)."""
        x = self.dropped(tf.gather(self.embedded, rows))
        probabilities = self.probabilities(x, [weight.value for weight in self.weights])
        each = self.loss.call(tf.gather(self.labels, rows), probabilities)
        return tf.reduce_mean(weights * each, axis=1)

    def validation_probabilities(self) -> list[np.ndarray]:
        """Probabilities of every head's validation rows."""
        return [
            self.probabilities(
                tf.gather(self.embedded, head.validation)[None],
                [weight[number : number + 1] for weight in self.weights],
            )[0].numpy()
            for number, head in enumerate(self.heads)
        ]


def _compiled(
    stack: Stack, optimizer: keras.optimizers.Optimizer
) -> Callable[[np.ndarray, np.ndarray], tf.Tensor]:
    """A function of rows and weights, (steps, heads, batch), to the summed loss per head."""

    @tf.function
    def run(steps: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        total = tf.zeros(len(stack.heads))
        for number in tf.range(len(steps)):
            with tf.GradientTape() as tape:
                losses = stack.losses(steps[number], weights[number])
                summed = tf.reduce_sum(losses)
            gradients = tape.gradient(summed, [weight.value for weight in stack.weights])
            optimizer.apply(gradients, stack.weights)
            total += losses
        return total

    return lambda steps, weights: run(tf.constant(steps), tf.constant(weights))


def _random_batches(heads: Sequence[Head], seed: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (int32) and weights (float32) of an epoch in its order, both (heads, rows)."""
    orders = [batches.order(len(head.training), seed, epoch, head.share) for head in heads]
    both = list(zip(heads, orders, strict=True))
    rows = np.stack([head.training[order] for head, order in both])
    return rows.astype(np.int32), np.stack([head.weights[order] for head, order in both])


def _steps(rows: np.ndarray, batch: int) -> np.ndarray:
    """(heads, rows) as (steps, heads, batch)."""
    return rows.reshape(len(rows), -1, batch).swapaxes(0, 1)


def _validation_probabilities(
    stack: Stack, optimizer: keras.optimizers.Optimizer
) -> list[np.ndarray]:
    """Those of the averaged weights if the optimizer averages; training goes on with the others."""
    if not optimizer.use_ema:
        return stack.validation_probabilities()
    trained = [weight.numpy() for weight in stack.weights]
    optimizer.finalize_variable_values(stack.weights)
    found = stack.validation_probabilities()
    for weight, value in zip(stack.weights, trained, strict=True):
        weight.assign(value)
    return found


def _seeds(model: keras.Model) -> keras.random.SeedGenerator | None:
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout) and layer.rate:
            return layer.seed_generator
    return None
