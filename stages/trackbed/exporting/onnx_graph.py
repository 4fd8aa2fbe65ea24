"""Graphs of ONNX, without TensorFlow: equal ones as equal bytes, and a head behind a backbone."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from trackbed.inference.exported_model import EMBEDDING, FEATURES, PROBABILITIES
from trackbed.inference.head import Head

OPSET = 17  # of ONNX 1.12; ONNX Runtime reads it since 1.12
BATCH = "batch"  # the name of the first dimension
OPERATIONS = {"relu": "Relu", "softmax": "Softmax"}  # of activations; 'linear' has none


def with_head(backbone: bytes, head: Head) -> bytes:
    """A backbone with output `embedding` as a classifier, with output `probabilities` beside it.

    The bytes are those of a conversion of the whole network, which only leaves out a bias of zeros.
    Raises google.protobuf.message.DecodeError for broken bytes, and
    onnx.shape_inference.InferenceError for embeddings of another shape.
    """
    proto = onnx.load_from_string(backbone)
    graph, name = proto.graph, EMBEDDING
    for number, layer in enumerate(head.layers):
        for part in ("kernel", "bias"):
            tensor = onnx.numpy_helper.from_array(getattr(layer, part), f"head/{part}_{number}")
            graph.initializer.append(tensor)
        steps = [("MatMul", [f"head/kernel_{number}"]), ("Add", [f"head/bias_{number}"])]
        if operation := OPERATIONS.get(layer.activation):
            steps.append((operation, []))
        for operation, constants in steps:
            given, name = [name, *constants], f"head/{operation}_{number}"
            graph.node.append(onnx.helper.make_node(operation, given, [name]))
    graph.node[-1].output[0] = PROBABILITIES
    shape = [BATCH, len(head.layers[-1].bias)]
    kind = onnx.TensorProto.FLOAT
    graph.output.append(onnx.helper.make_tensor_value_info(PROBABILITIES, kind, shape))
    return canonical(proto)


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
