"""Batch normalisation in training: faster on a CPU, with statistics that suit the kept weights."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

IMAGES_DIMENSIONS = 4
SMALLEST_GHOST_BATCH = 8  # images


class GhostBatches(keras.layers.Layer):
    """A network that takes a batch in parts, each normalised by its own statistics in training.

    Ghost batch normalization (Hoffer et al. 2017, arXiv 1705.08741). TensorFlow runs the parts
    beside each other, which uses the cores of a CPU better than one part after the other on all
    of them. A batch of fewer than 8 images a part stays whole, and every part computes it.
    """

    def __init__(self, network: keras.Model, parts: int) -> None:
        super().__init__(autocast=False)
        self.network, self.parts = network, parts

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Probabilities: float, shape (images, classes)."""
        count, parts = tf.shape(images)[0], self.parts
        divided = count >= parts * SMALLEST_GHOST_BATCH
        starts = [tf.where(divided, count * part // parts, 0) for part in range(parts)]
        ends = [tf.where(divided, count * part // parts, count) for part in range(1, parts + 1)]
        bounds = zip(starts, ends, strict=True)
        answers = [self.network(images[start:end], training=training) for start, end in bounds]
        return tf.concat(answers, axis=0)[:count]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the probabilities."""
        return self.network.compute_output_shape(input_shape)


class Momentum:
    """Momentum of the moving mean and variance of a layer, at a step of the optimizer.

    It is that of the layer, or that of the moving average of the weights if this is higher: the
    statistics are then those of the weights that are averaged. In a layer that starts without
    statistics it is at most (1 + t) / (10 + t) at step t, as for the weights (see optimization), so
    that those of a short training are not mostly the initial ones. With ghost batches each part
    moves the statistics so much less that a step forgets as much as with a whole batch.
    """

    def __init__(self, network: keras.Model, parts: int = 1) -> None:
        self.parts = parts
        self.fresh = {
            id(layer) for layer in _layers(network) if not np.any(layer.moving_mean.numpy())
        }
        self.optimizer: keras.optimizers.Optimizer | None = None
        self.first = True

    def follow(self, optimizer: keras.optimizers.Optimizer, *, first: bool) -> None:
        """Use the steps and the average of this optimizer; first: that of the first phase."""
        self.optimizer, self.first = optimizer, first

    def of(self, layer: keras.layers.BatchNormalization) -> tf.Tensor | float:
        """The momentum of a layer for a part of the batch, float32 or a number."""
        whole = self._of_step(layer)
        return whole if self.parts == 1 else whole ** (1 / self.parts)

    def _of_step(self, layer: keras.layers.BatchNormalization) -> tf.Tensor | float:
        if self.optimizer is None:
            return layer.momentum
        average = self.optimizer.ema_momentum if self.optimizer.use_ema else 0.0
        highest = max(layer.momentum, average)
        if not (self.first and id(layer) in self.fresh):
            return highest
        step = tf.cast(self.optimizer.iterations.value, tf.float32)
        return tf.minimum(highest, (1 + step) / (10 + step))


def prepare(network: keras.Model, parts: int = 1) -> Momentum:
    """Make the batch normalisation layers of a network follow a Momentum, which is returned.

    parts: of a batch, see GhostBatches.

    On a CPU they also become faster: one operation of TensorFlow instead of the dozen that Keras
    uses. They stay Keras layers, compute what Keras computes up to rounding in float32, and are
    saved unchanged. On a GPU that operation is not deterministic in all cases, and is not used.
    """
    momentum, cpu = Momentum(network, parts), not tf.config.list_physical_devices("GPU")
    for layer in _layers(network):
        call = _fused if cpu and _fusible(layer) else _plain
        layer.call = partial(call, layer, layer.call, momentum)
    return momentum


def _layers(network: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif type(layer) is keras.layers.BatchNormalization:
            yield layer


def _fusible(layer: keras.layers.Layer) -> bool:
    return (
        layer.scale
        and layer.center
        and not (layer.renorm or layer.synchronized)
        and len(layer.input.shape) == IMAGES_DIMENSIONS
        and layer.axis in (-1, IMAGES_DIMENSIONS - 1)
    )


def _plain(
    layer: Any,
    plain: Any,
    momentum: Momentum,
    inputs: tf.Tensor,
    training: Any = None,
    mask: Any = None,
) -> Any:
    if not (training and layer.trainable):
        return plain(inputs, training=training, mask=mask)
    kept = layer.momentum
    layer.momentum = momentum.of(layer)
    try:
        return plain(inputs, training=training, mask=mask)
    finally:
        layer.momentum = kept


def _fused(
    layer: Any,
    plain: Any,
    momentum: Momentum,
    inputs: tf.Tensor,
    training: Any = None,
    mask: Any = None,
) -> Any:
    if mask is not None or not (training and layer.trainable):
        return _plain(layer, plain, momentum, inputs, training, mask)
    unknown = tf.zeros([0])  # the statistics are those of the batch
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=layer.gamma.value,
        offset=layer.beta.value,
        mean=unknown,
        variance=unknown,
        epsilon=layer.epsilon,
        is_training=True,
    )
    # The operation divides by n - 1, as a sample's variance; Keras keeps the batch's, by n.
    count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
    rate = 1 - momentum.of(layer)
    _move(layer.moving_mean, mean, rate)
    _move(layer.moving_variance, variance * (count - 1) / count, rate)
    return outputs


def _move(average: keras.Variable, value: tf.Tensor, rate: tf.Tensor | float) -> None:
    tf.raw_ops.ResourceApplyGradientDescent(
        var=average.value.handle, alpha=rate, delta=average.value - value
    )
