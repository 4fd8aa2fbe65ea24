"""A Keras model as ONNX; equal models give equal bytes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import keras
import numpy as np
import onnx
import tensorflow as tf

from trackbed.exporting import network_parts
from trackbed.inference.exported_model import EMBEDDING, FEATURES, IMAGES, PROBABILITIES
from trackbed.pipeline import tensorflow_setup

OPSET = 17  # of ONNX 1.12; ONNX Runtime reads it since 1.12
BATCH = "batch"  # the name of the first dimension


def onnx_bytes(model: keras.Model) -> bytes:
    """The model as a file of ONNX.

    Input `images`: uint8, shape (batch, side, side, 3). Outputs: `probabilities`, `embedding`
    and, where it is averaged into the embedding, `features`, see inference.exported_model.
    """
    import tf2onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    _, side, _, channels = model.input_shape
    given = tf.TensorSpec((None, side, side, channels), tf.uint8, name=IMAGES)
    whole = keras.Model(model.inputs, _outputs(model))
    function = tf.function(
        lambda images: whole(tf.cast(images, tf.float32), training=False), input_signature=[given]
    )
    with tensorflow_setup.filtered_stderr():
        proto, _ = tf2onnx.convert.from_function(function, [given], opset=OPSET)
    _put_in_captured(proto, function.get_concrete_function())
    _pool_globally(proto.graph)
    return canonical(proto)


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


def canonical(proto: onnx.ModelProto) -> bytes:
    """The bytes of a model that depend on its graph alone, not on names or the order of nodes.

    The converter takes names from a counter of the process, and nodes come in no fixed order.
    Raises onnx.checker.ValidationError for an invalid model.
    """
    graph = proto.graph
    outputs = sorted(
        graph.output, key=lambda one: (PROBABILITIES, EMBEDDING, FEATURES).index(one.name)
    )
    nodes = list(_ordered(graph, [one.name for one in outputs]))
    names = _new_names(graph, nodes)
    initializers = {one.name: one for one in graph.initializer}
    made = onnx.helper.make_graph(
        [_renamed(node, names, number) for number, node in enumerate(nodes)],
        "classifier",
        [_with_batch(one) for one in graph.input],
        [_with_batch(one) for one in outputs],
        [_tensor(initializers[old], new) for old, new in names.items() if old in initializers],
    )
    model = onnx.helper.make_model(
        made, opset_imports=proto.opset_import, ir_version=proto.ir_version
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _ordered(graph: onnx.GraphProto, outputs: list[str]) -> Iterator[onnx.NodeProto]:
    """The nodes that the outputs need, each behind those that it needs, depth first."""
    producer = {name: node for node in graph.node for name in node.output}
    waiting, done = list(reversed(outputs)), set()
    while waiting:
        node = producer.get(waiting[-1])
        needed = [name for name in node.input if name in producer] if node else []
        needed = [name for name in needed if producer[name].output[0] not in done]
        if node is None or node.output[0] in done or not needed:
            waiting.pop()
            if node is not None and node.output[0] not in done:
                done.add(node.output[0])
                yield node
        else:
            waiting.extend(reversed(needed))


def _new_names(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> dict[str, str]:
    """New names of all tensors, in the order of their use; inputs and outputs keep theirs."""
    names = {one.name: one.name for one in (*graph.input, *graph.output)} | {"": ""}
    for node in nodes:
        for name in (*node.input, *node.output):
            names.setdefault(name, f"tensor_{len(names)}")
    return names


def _renamed(node: onnx.NodeProto, names: dict[str, str], number: int) -> onnx.NodeProto:
    found = onnx.NodeProto(op_type=node.op_type, domain=node.domain)
    found.name = f"{node.op_type}_{number}"
    found.input.extend(names[name] for name in node.input)
    found.output.extend(names[name] for name in node.output)
    found.attribute.extend(sorted(node.attribute, key=lambda one: one.name))
    return found


def _tensor(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    found = onnx.TensorProto()
    found.CopyFrom(tensor)
    found.name = name
    return found


def _with_batch(value: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
    found = onnx.ValueInfoProto()
    found.CopyFrom(value)
    found.type.tensor_type.shape.dim[0].dim_param = BATCH
    return found
