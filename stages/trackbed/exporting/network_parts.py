"""Where a Keras model is cut: the map that is pooled, the embedding, and the head behind it."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

from trackbed.inference.head import Dense, Head
from trackbed.networks import embeddings


@dataclass(frozen=True)
class Parts:
    """Symbolic tensors of a model, and its head."""

    embedding: keras.KerasTensor  # (batch, units)
    features: keras.KerasTensor | None  # (batch, height, width, channels), if it is just averaged
    head: Head | None  # None where it has other layers than dropout and dense ones


def parts(model: keras.Model) -> Parts:
    """The parts of a classifier with a dense softmax as its last layer.

    The embedding is what the layer `embedding` or the last global average pooling gives, and the
    input of the last layer where there is neither.
    """
    pooling = _pooling(model)
    embedding = model.layers[-1].input if pooling is None else pooling.output
    averaged = isinstance(pooling, layers.GlobalAveragePooling2D)
    return Parts(embedding, pooling.input if averaged else None, _head(model, embedding))


def _pooling(model: keras.Model) -> layers.Layer | None:
    for layer in reversed(model.layers):
        if layer.name == embeddings.EMBEDDING or isinstance(layer, layers.GlobalAveragePooling2D):
            return layer if len(layer.output.shape) == 2 else None
    return None


def _head(model: keras.Model, embedding: keras.KerasTensor) -> Head | None:
    """The chain of layers from the embedding to the output, if dense and dropout layers are all."""
    found: list[Dense] = []
    tensor = model.outputs[0]
    for layer in reversed(model.layers):
        if tensor is embedding:
            break
        if layer.output is not tensor:
            return None
        if isinstance(layer, layers.Dense) and layer.use_bias:
            kernel, bias = layer.get_weights()
            found.insert(0, Dense(kernel, bias, layer.activation.__name__))
        elif not isinstance(layer, layers.Dropout):
            return None
        tensor = layer.input
    return Head(found) if _is_understood(found) else None


def _is_understood(found: list[Dense]) -> bool:
    *hidden, last = [layer.activation for layer in found]
    return last == "softmax" and set(hidden) <= {"relu", "linear"}
