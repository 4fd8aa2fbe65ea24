"""A Keras model as ONNX; equal models give equal bytes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import keras
import numpy as np
import onnx
import tensorflow as tf

from trackbed.exporting import network_parts
from trackbed.exporting.onnx_graph import OPSET, canonical
from trackbed.inference.exported_model import EMBEDDING, FEATURES, IMAGES, PROBABILITIES
from trackbed.pipeline import tensorflow_setup

CATCH_ERRORS = "TF2ONNX_CATCH_ERRORS"  # a variable that tf2onnx reads


def traced(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The outputs of a model by name, as a function of its images: uint8, (batch, side, side, 3).

    `probabilities`, `embedding` and, where it is averaged into the embedding, `features`, see
    inference.exported_model.
    """
    return _traced(model, _outputs(model))


def traced_backbone(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """Like `traced`, without the probabilities."""
    outputs = _outputs(model)
    del outputs[PROBABILITIES]
    return _traced(model, outputs)


def _traced(
    model: keras.Model, outputs: dict[str, keras.KerasTensor]
) -> tf.types.experimental.PolymorphicFunction:
    given = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=IMAGES)
    whole = keras.Model(model.inputs, outputs)
    return tf.function(
        lambda images: whole(tf.cast(images, tf.float32), training=False), input_signature=[given]
    )


def onnx_bytes(function: tf.types.experimental.PolymorphicFunction) -> bytes:
    """A traced model as a file of ONNX, with the same input and outputs."""
    with tensorflow_setup.filtered_stderr():
        proto = _converted(function)
    _put_in_captured(proto, function.get_concrete_function())
    _pool_globally(proto.graph)
    return canonical(proto)


def _converted(function: tf.types.experimental.PolymorphicFunction) -> onnx.ModelProto:
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    convert = partial(tf2onnx.convert.from_function, function, function.input_signature, OPSET)
    try:
        with _without_copies():
            return convert()[0]
    except Exception:  # of an optimizer, which may be left out of a copy
        return convert()[0]


@contextmanager
def _without_copies() -> Iterator[None]:
    """Have the converter's optimizers work on the graph itself, which takes two thirds of the time.

    Otherwise each works on a copy, several times, so that one that fails can be left out.
    """
    before = os.environ.get(CATCH_ERRORS)
    os.environ[CATCH_ERRORS] = "FALSE"
    try:
        yield
    finally:
        del os.environ[CATCH_ERRORS]
        if before is not None:
            os.environ[CATCH_ERRORS] = before


def _put_in_captured(
    proto: onnx.ModelProto, function: tf.types.experimental.ConcreteFunction
) -> None:
    """Make constants of the tensors outside of the graph, which the converter takes for inputs."""
    captured = {inner.name: outer for outer, inner in function.graph.captures}
    given = [one for one in proto.graph.input if one.name != IMAGES]
    for value in given:
        tensor = onnx.numpy_helper.from_array(captured[value.name].numpy(), value.name)
        proto.graph.initializer.append(tensor)
        proto.graph.input.remove(value)


def _pool_globally(graph: onnx.GraphProto) -> None:
    """Average maps with GlobalAveragePool, which sums every image in the same order.

    ONNX Runtime's ReduceMean over the axes 1 and 2 sums a single image in another order than
    several, so that an answer would depend on the other images of its batch. The converter leaves
    it where a map has further uses.
    """
    nodes = [part for node in graph.node for part in _pooling(graph, node)]
    del graph.node[:]
    graph.node.extend(nodes)


def _pooling(graph: onnx.GraphProto, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    if node.op_type != "ReduceMean" or found.get("axes") != [1, 2]:
        return [node]
    make, name = onnx.helper.make_node, node.output[0]
    parts = [
        make("Transpose", [node.input[0]], [f"{name}/map"], perm=[0, 3, 1, 2]),
        make("GlobalAveragePool", [f"{name}/map"], [f"{name}/mean"]),
    ]
    if found.get("keepdims", 1):
        return [*parts, make("Transpose", [f"{name}/mean"], [name], perm=[0, 2, 3, 1])]
    axes = onnx.numpy_helper.from_array(np.array([2, 3]), f"{name}/axes")
    graph.initializer.append(axes)
    return [*parts, make("Squeeze", [f"{name}/mean", axes.name], [name])]


def _outputs(model: keras.Model) -> dict[str, keras.KerasTensor]:
    parts = network_parts.parts(model)
    found = {PROBABILITIES: model.outputs[0], EMBEDDING: parts.embedding}
    return found | ({} if parts.features is None else {FEATURES: parts.features})
