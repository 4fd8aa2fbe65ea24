"""An exported model that can be checked by hand: the class is the strongest colour of a picture."""

import json

import numpy as np
from onnx import TensorProto, helper
from onnx_model import PICTURES, colour_description, model_bytes

CLASSES = ("red", "green", "blue")
SIDE = 16


def write(folder, classes=CLASSES, pictures=None, **values):
    """Write model.onnx and model.json; the embedding is the mean colour, 0 to 1.

    The probabilities are the softmax of 10 times the embedding.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {"probabilities": ["batch", 3], "embedding": ["batch", 3]}
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
    content = model_bytes(nodes, shapes, constants, SIDE)
    (folder / "model.onnx").write_bytes(content)
    values["pictures"] = PICTURES | (pictures or {})
    described = colour_description(classes, SIDE, {"model.onnx": content}, **values)
    (folder / "model.json").write_text(json.dumps(described))
    return folder
