"""A tiny exported model without training and without TensorFlow: it compares mean colours.

Its map is the picture averaged over SIDE / CELLS pixels, its embedding the mean colour.
"""

import hashlib
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trackbed.inference import exported_model

SIDE, CELLS = 16, 4
OPSET = 17


def write(folder, classes, seed=0, head=True, kernel=None):
    """Write the model for these classes into a new folder; without `head` it has no map."""
    draw = np.random.default_rng(seed)
    if kernel is None:
        kernel = draw.normal(0, 2, (3, len(classes)))
    kernel, bias = np.asarray(kernel, np.float32), np.zeros(len(classes), np.float32)
    folder.mkdir(parents=True)
    (folder / exported_model.MODEL_FILE).write_bytes(_graph(kernel, bias, head))
    if head:
        np.savez(folder / exported_model.HEAD_FILE, kernel_0=kernel, bias_0=bias)
    files = {path.name: described(path.read_bytes()) for path in sorted(folder.iterdir())}
    description = {"format": exported_model.FORMAT, "network": "mean_colour", "files": files}
    description |= {"classes": list(classes), "image_side": SIDE, "backbone": None}
    description |= {"head": ["softmax"] if head else None, "temperature": 1.0, "calibrated": False}
    description |= {"model": "0" * 64, "refusal_threshold": None, "pictures": PICTURES}
    (folder / exported_model.DESCRIPTION_FILE).write_text(json.dumps(description))
    return folder


PICTURES = {"max_pixels": 10**6, "min_side": 2, "max_aspect": 20.0, "crop_margin": 0.0}
PICTURES |= {"boxes": "check", "white_level": None, "group": None, "group_per_class": False}


def _graph(kernel, bias, head):
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["pixels", "white"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["cells"], kernel_shape=[CELLS] * 2, strides=[CELLS] * 2
        ),
        helper.make_node("Transpose", ["cells"], ["features"], perm=[0, 2, 3, 1]),
        helper.make_node("ReduceMean", ["features"], ["embedding"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["embedding", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    shapes = {"probabilities": ["batch", len(bias)], "embedding": ["batch", 3]}
    if head:
        shapes["features"] = ["batch", SIDE // CELLS, SIDE // CELLS, 3]
    values = {"kernel": kernel, "bias": bias, "white": np.float32(255)}
    return model_bytes(nodes, shapes, values, SIDE)


def model_bytes(nodes, shapes, constants, side):
    """An ONNX file from uint8 `images` of that side to float outputs; shapes: by name."""
    given = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", side, side, 3])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    values = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "colours", [given], outputs, values)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString(deterministic=True)


def described(content):
    """What model.json says of a file with this content."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def colour_description(classes, side, contents, /, **values):
    """The model.json of a network whose classes are colours; contents: of the files, by name."""
    return {
        "format": exported_model.FORMAT,
        "network": "colours",
        "classes": list(classes),
        "image_side": side,
        "temperature": 2.0,
        "calibrated": False,
        "refusal_threshold": 0.9,
        "wanted_precision": 0.95,
        "backbone": None,
        "model": "0" * 64,
        "head": None,
        "pictures": PICTURES,
        "files": {name: described(content) for name, content in contents.items()},
        **values,
    }
