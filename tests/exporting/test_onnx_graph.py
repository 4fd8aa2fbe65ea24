import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from trackbed.exporting import network_parts, onnx_export, onnx_graph
from trackbed.inference.head import Dense, Head
from trackbed.networks import backbones
from trackbed.networks.spec import Spec


def test_a_head_is_appended_as_a_conversion_would_write_it():
    keras.utils.set_random_seed(0)
    model = backbones.classifier(Spec(32, 4), "MobileNetV2", hidden=(8, 6))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):  # the converter leaves a bias of zeros out
            layer.bias.assign(np.linspace(0.1, 0.2, layer.units))
    backbone = onnx_export.onnx_bytes(onnx_export.traced_backbone(model))
    whole = onnx_export.onnx_bytes(onnx_export.traced(model))
    assert onnx_graph.with_head(backbone, network_parts.parts(model).head) == whole


def double():
    """A backbone whose embedding is twice its input."""
    kind = onnx.TensorProto.FLOAT
    given, out = (
        onnx.helper.make_tensor_value_info(name, kind, ["batch", 2])
        for name in ("images", "embedding")
    )
    node = onnx.helper.make_node("Add", ["images", "images"], ["embedding"])
    graph = onnx.helper.make_graph([node], "double", [given], [out])
    made = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    return made.SerializeToString()


def test_a_head_answers_as_by_hand():
    hidden = Dense(np.float32([[1, -1], [0, 0]]), np.float32([0, 1]), "relu")
    last = Dense(np.float32([[1, 0], [0, 1]]), np.float32([0, 0]), "softmax")
    session = onnxruntime.InferenceSession(onnx_graph.with_head(double(), Head([hidden, last])))
    (found,) = session.run(["probabilities"], {"images": np.float32([[1, 5]])})
    # The embedding is (2, 10), the hidden layer max(0, (2, -2 + 1)) = (2, 0).
    np.testing.assert_allclose(found, [[np.e**2 / (np.e**2 + 1), 1 / (np.e**2 + 1)]], rtol=1e-6)


def test_a_head_for_other_embeddings_is_refused():
    layer = Dense(np.zeros((3, 2), np.float32), np.zeros(2, np.float32), "softmax")
    with pytest.raises(onnx.shape_inference.InferenceError, match="MatMul"):
        onnx_graph.with_head(double(), Head([layer]))


def test_other_names_and_another_order_of_nodes_give_the_same_bytes():
    given = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [None, 2])
    out = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [None, 2])

    def model(first, second, turned):
        nodes = [
            onnx.helper.make_node("Exp", ["images"], [first], name=f"n{first}"),
            onnx.helper.make_node("Neg", ["images"], [second], name=f"n{second}"),
        ]
        nodes = nodes[::-1] if turned else nodes
        nodes.append(onnx.helper.make_node("Add", [first, second], ["probabilities"]))
        graph = onnx.helper.make_graph(nodes, first, [given], [out])
        return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])

    made = onnx_graph.canonical(model("a", "b", turned=False))
    assert onnx_graph.canonical(model("x", "y", turned=True)) == made
