"""A Keras model in other formats than ONNX; equal models give equal bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from trackbed.inference.exported_model import IMAGES, MODEL_FILE, PROBABILITIES
from trackbed.inference.other_runtimes import PLACES
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import UserError

FINGERPRINT = "fingerprint.pb"  # of a SavedModel; optional, another one every time


def write(folder: Path, name: str, model: keras.Model, sample: np.ndarray | None) -> None:
    """Write one format into the folder of an exported model, beside its ONNX file.

    sample: images of the training part, uint8, shape (images, side, side, 3), which set the
    ranges of int8; None where that is not asked for. Raises UserError for a network that the
    converter does not take.
    """
    path = folder / PLACES[name]
    with _named_failure(name, model), tensorflow_setup.filtered_stderr(_is_important):
        if name == "openvino":
            _write_openvino(path, folder / MODEL_FILE)
        elif name == "saved_model":
            _write_saved_model(path, _frozen(model))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that int8 is calibrated and not trained so
                path.write_bytes(_litert_bytes(name, _frozen(model), sample))


@contextmanager
def _named_failure(name: str, model: keras.Model) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # the converters have no common class for theirs
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{name}: the network {model.name} cannot be converted ({reason}). Leave it out of "
            "params.yaml, export.formats."
        ) from error


def _is_important(line: bytes) -> bool:
    return tensorflow_setup.is_important(line) and not line.startswith(b"fully_quantize: ")


def _frozen(model: keras.Model) -> tf.types.experimental.ConcreteFunction:
    """From uint8 images to probabilities, with the weights as constants.

    The converters lose the weights of a function that has them as variables, without an error.
    """
    given = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=IMAGES)
    called = tf.function(
        lambda images: model(tf.cast(images, tf.float32), training=False), input_signature=[given]
    )
    constant = convert_variables_to_constants_v2(called.get_concrete_function())
    named = tf.function(
        lambda images: {PROBABILITIES: constant(images)[0]}, input_signature=[given]
    )
    return named.get_concrete_function()


def _litert_bytes(
    name: str, function: tf.types.experimental.ConcreteFunction, sample: np.ndarray | None
) -> bytes:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], function)
    if name != "litert_float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "litert_float16":
        converter.target_spec.supported_types = [tf.float16]
    if name == "litert_int8":
        converter.representative_dataset = lambda: ([image[None]] for image in sample)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def _write_openvino(path: Path, onnx_path: Path) -> None:
    """Convert the ONNX file, whose bytes are canonical."""
    import openvino

    path.parent.mkdir()
    openvino.save_model(openvino.convert_model(onnx_path), path, compress_to_fp16=False)


def _write_saved_model(path: Path, function: tf.types.experimental.ConcreteFunction) -> None:
    """With the weights as constants: the order of variables differs from process to process."""
    with _quiet_logger():
        tf.saved_model.save(tf.Module(), f"{path}", signatures=function)
    (path / FINGERPRINT).unlink(missing_ok=True)
    (path / "assets").rmdir()  # empty


@contextmanager
def _quiet_logger() -> Iterator[None]:
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
