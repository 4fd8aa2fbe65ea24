"""The folder of an exported model: the files, and model.json, which describes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.exporting import converters, network_parts, onnx_export
from trackbed.exporting.convertible_copy import convertible_copy
from trackbed.inference import exported_model
from trackbed.inference.head import Head
from trackbed.inference.head import arrays as head_arrays
from trackbed.networks import embeddings
from trackbed.pipeline.outputs import replacing, write_arrays, write_json

# How a picture of any size becomes the input; inference does it by the code of the build.
RESIZE = {
    "rule": "stretch",
    "shrinking": "bilinear with antialiasing, as Pillow's Resampling.BILINEAR",
    "enlarging": "bilinear, as OpenCV's INTER_LINEAR",
    "jpeg": "decoded at 1/2, 1/4 or 1/8 where that is no smaller than the input",
}


def write(
    folder: Path,
    network: keras.Model,
    classes: list[str],
    formats: Sequence[str] = (),
    sample: np.ndarray | None = None,
    **values: Any,
) -> None:
    """Write a network into an empty folder as ONNX and in further formats, see docs/export.md.

    network: in float32, see `float32_copy`. formats: see inference.other_runtimes. sample: images
    of the training part for int8, see converters.write. values: further keys of model.json, such
    as temperature and refusal_threshold.
    """
    head = network_parts.parts(network).head
    converted = convertible_copy(network)
    with replacing(folder / exported_model.MODEL_FILE) as temporary:
        temporary.write_bytes(onnx_export.onnx_bytes(converted))
    if head is not None:
        write_arrays(folder / exported_model.HEAD_FILE, head_arrays(head))
    for name in formats:
        converters.write(folder, name, converted, sample)
    described = _description(network, classes, head) | values
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _file(path) for path in paths}
    write_json(folder / exported_model.DESCRIPTION_FILE, described | {"files": files})


def _description(model: keras.Model, classes: list[str], head: Head | None) -> dict[str, Any]:
    _, side, _, channels = model.input_shape
    backbone = embeddings.backbone(model) if embeddings.has_backbone(model) else None
    return {
        "format": exported_model.FORMAT,
        "network": model.name,
        "classes": classes,
        "image_side": side,
        "opset": onnx_export.OPSET,
        "input": {
            "name": exported_model.IMAGES,
            "dtype": "uint8",
            "shape": ["batch", side, side, channels],
            "channels": "RGB",
            "range": [0, 255],
        },
        "resize": RESIZE,
        "head": None if head is None else [layer.activation for layer in head.layers],
        "backbone": None if backbone is None else embeddings.weights_digest(backbone),
    }


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file(path: Path) -> dict[str, Any]:
    return {"sha256": digest(path), "bytes": path.stat().st_size}
