"""Other formats than ONNX that a model is exported to, each in its own runtime."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trackbed.inference.exported_model import IMAGES, PROBABILITIES, ExportedModel
from trackbed.pipeline.errors import UserError

ONNX = "onnx"  # is always written
Format = Literal["litert_float32", "litert_float16", "litert_int8", "openvino", "saved_model"]
# The file or folder of a format, in that of the exported model.
PLACES = {
    "litert_float32": "model_float32.tflite",
    "litert_float16": "model_float16.tflite",
    "litert_int8": "model_int8.tflite",
    "openvino": "openvino/model.xml",
    "saved_model": "saved_model",
}
# The package of the runtime, and what installs it where it is no part of the pipeline.
PACKAGES = {"litert": ("ai_edge_litert", "make litert"), "openvino": ("openvino", "make openvino")}
BATCH = 32  # images at a time
Forward = Callable[[np.ndarray], np.ndarray]
"""uint8 images (images, side, side, 3) to float32 probabilities (images, classes)."""


def refuse_missing(formats: Iterable[str]) -> None:
    """Raise UserError for a format whose runtime is not installed."""
    for name in formats:
        package, remedy = PACKAGES.get(name.partition("_")[0], ("", ""))
        if package and importlib.util.find_spec(package) is None:
            raise UserError(
                f"params.yaml, export.formats: {name} needs the package {package}, which is not "
                f"installed. Run `{remedy}`."
            )


def forward(folder: Path, name: str, threads: int = 0) -> Forward:
    """The model of a folder in one format as a function; threads: 0 means one per core.

    name: ONNX or one of `Format`.
    """
    if name == ONNX:
        return ExportedModel.load(folder, threads).probabilities
    path = folder / PLACES[name]
    if name.startswith("litert"):
        return _litert(path, threads)
    return _openvino(path, threads) if name == "openvino" else _saved_model(path)


def _litert(path: Path, threads: int) -> Forward:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(f"{path}", num_threads=threads or None)
    given, found = (
        details()[0]["index"]
        for details in (interpreter.get_input_details, interpreter.get_output_details)
    )

    def run(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        return interpreter.get_tensor(found)

    return run


def _openvino(path: Path, threads: int) -> Forward:
    import openvino

    # Its default precision is bfloat16 on processors that have it.
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
    hints |= {"INFERENCE_NUM_THREADS": threads} if threads else {}
    model = openvino.Core().compile_model(f"{path}", "CPU", hints)
    return lambda images: np.array(model(images)[PROBABILITIES])


def _saved_model(path: Path) -> Forward:
    import tensorflow as tf

    loaded = tf.saved_model.load(f"{path}")  # owns what its signature needs
    function = loaded.signatures["serving_default"]
    return lambda images: function(**{IMAGES: tf.constant(images)})[PROBABILITIES].numpy()
