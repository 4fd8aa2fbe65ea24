"""A model without the two operations of Keras that the converters do not know."""

from __future__ import annotations

import math

import keras
from keras import layers, ops


def convertible_copy(model: keras.Model) -> keras.Model:
    """The same function with the same weights; the model itself if it has no such operation.

    Keras compiles a convolution in groups with XLA, and computes GELU by the complementary error
    function. The ConvNeXt backbones have both.
    """
    inner = model._flatten_layers(include_self=False)
    if not any(_is_by_channel(layer) or _is_gelu(layer) for layer in inner):
        return model
    copy = keras.models.clone_model(model, clone_function=_convertible, recursive=True)
    weights = zip(copy.weights, model.get_weights(), strict=True)
    # One group per channel: the kernel (height, width, 1, channels) is (..., channels, 1) there.
    copy.set_weights([values.reshape(weight.shape) for weight, values in weights])
    return copy


def _convertible(layer: layers.Layer) -> layers.Layer:
    config = layer.get_config()
    if _is_gelu(layer):
        return layers.Activation(_gelu, name=layer.name)
    if _is_by_channel(layer):
        other = ("filters", "groups", "kernel_initializer", "kernel_regularizer")
        other += ("kernel_constraint",)
        return layers.DepthwiseConv2D(**{k: v for k, v in config.items() if k not in other})
    return type(layer).from_config(config)


def _is_by_channel(layer: layers.Layer) -> bool:
    """Whether every channel has a convolution of its own."""
    return type(layer) is layers.Conv2D and 1 < layer.groups == layer.filters == _channels(layer)


def _channels(layer: layers.Conv2D) -> int:
    return layer.kernel.shape[2] * layer.groups


def _is_gelu(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.Activation) and layer.activation is keras.activations.gelu


def _gelu(x: keras.KerasTensor) -> keras.KerasTensor:
    return 0.5 * x * (1 + ops.erf(x / math.sqrt(2)))
