"""An exported model that can be checked by hand: the class is the strongest colour of a picture."""

import hashlib
import json

import numpy as np
import onnx
from onnx import TensorProto, helper

CLASSES = ("red", "green", "blue")
SIDE = 16
PICTURES = {"max_pixels": 10**6, "min_side": 2, "max_aspect": 20.0, "crop_margin": 0.0}
PICTURES |= {"boxes": "check", "white_level": None, "group": None, "group_per_class": False}


def write(folder, classes=CLASSES, pictures=None, **values):
    """Write model.onnx and model.json; the embedding is the mean colour, 0 to 1.

    The probabilities are the softmax of 10 times the embedding.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3])
        for name in ("probabilities", "embedding")
    ]
    constants = {"scale": np.float32(1 / 255), "ten": np.float32(10), "axes": np.array([2, 3])}
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["pixels", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        # As Keras exports it; ONNX Runtime's ReduceMean depends on the other images of a batch.
        helper.make_node("GlobalAveragePool", ["planes"], ["pooled"]),
        helper.make_node("Squeeze", ["pooled", "axes"], ["embedding"]),
        helper.make_node("Mul", ["embedding", "ten"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    given = [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "colours", inputs, outputs, given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    description = {
        "format": 1,
        "network": "colours",
        "classes": list(classes),
        "image_side": SIDE,
        "temperature": 2.0,
        "calibrated": False,
        "refusal_threshold": 0.9,
        "wanted_precision": 0.95,
        "head": None,
        "pictures": PICTURES | (pictures or {}),
        "files": {"model.onnx": {"sha256": digest, "bytes": len(content)}},
    }
    (folder / "model.json").write_text(json.dumps(description | values))
    return folder
