"""Batch normalisation as one operation of TensorFlow instead of the dozen that Keras uses."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

IMAGES_DIMENSIONS = 4


def fuse(network: keras.Model) -> None:
    """Make the batch normalisation layers of a network train faster on a CPU.

    They stay Keras layers, compute what Keras computes up to rounding in float32, and are saved
    unchanged. On a GPU this does nothing: the operation is not deterministic there in all cases.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            fuse(layer)
        elif _fusible(layer):
            layer.call = partial(_call, layer, layer.call)


def _fusible(layer: keras.layers.Layer) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.scale
        and layer.center
        and not (layer.renorm or layer.synchronized)
        and len(layer.input.shape) == IMAGES_DIMENSIONS
        and layer.axis in (-1, IMAGES_DIMENSIONS - 1)
    )


def _call(layer: Any, plain: Any, inputs: tf.Tensor, training: Any = None, mask: Any = None) -> Any:
    if mask is not None or not (training and layer.trainable):
        return plain(inputs, training=training, mask=mask)
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
    _move(layer.moving_mean, mean, layer.momentum)
    _move(layer.moving_variance, variance * (count - 1) / count, layer.momentum)
    return outputs


def _move(average: keras.Variable, value: tf.Tensor, momentum: float) -> None:
    average.assign(average * momentum + value * (1 - momentum))
