"""Run a frozen backbone over images and views of them, by TensorFlow or the extra `openvino`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from trackbed.networks import augmentation
from trackbed.pipeline.errors import UserError
from trackbed.records.embedding_store import Forward

if TYPE_CHECKING:
    import keras

CALIBRATION_BATCH = 8  # images
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}


def forward(backbone: keras.Model, engine: str, precision: str, sample: np.ndarray) -> Forward:
    """The backbone as a function.

    engine: 'tensorflow' or 'openvino'; precision: 'float32', 'bfloat16' or, with openvino,
    'int8', which is calibrated on `sample` (uint8 images).
    Raises UserError for an engine that is not installed or does not have the precision.
    """
    if engine == "openvino":
        return openvino_forward(backbone, precision, sample)
    if precision == "int8":
        raise UserError("params.yaml, embed.precision: int8 needs embed.engine: openvino.")
    return tensorflow_forward(backbone, precision)


def tensorflow_forward(backbone: keras.Model, precision: str) -> Forward:
    """See `forward`. Faster than Keras' `predict`; XLA would not be faster on a CPU."""
    graph = tf.function(
        lambda images: backbone(tf.cast(images, tf.float32), training=False),
        input_signature=[tf.TensorSpec(backbone.input_shape)],
    )

    def embeddings(images: np.ndarray) -> np.ndarray:
        with _graph_rewriting(bfloat16=precision == "bfloat16"):
            return graph(images.astype(np.float32)).numpy()

    return embeddings


@contextmanager
def _graph_rewriting(*, bfloat16: bool) -> Iterator[None]:
    """Let the graph optimizer use bfloat16 for convolutions and matrix products on a CPU.

    Faster than Keras' policy mixed_bfloat16, which keeps its casts. The option is global.
    """
    key = "auto_mixed_precision_onednn_bfloat16"
    tf.config.optimizer.set_experimental_options({key: bfloat16})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({key: False})


def openvino_forward(backbone: keras.Model, precision: str, sample: np.ndarray) -> Forward:
    """See `forward`. Raises UserError where the extra `openvino` is not installed."""
    try:
        import openvino
    except ModuleNotFoundError:
        raise UserError(
            "params.yaml, embed.engine: openvino is not installed. Run "
            "`make openvino`, or use tensorflow."
        ) from None
    model = openvino.convert_model(backbone)
    if precision == "int8":
        model = _quantized(model, sample)
    hints = {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(model, "CPU", hints)
    return lambda images: np.array(compiled(images.astype(np.float32))[0])


def _quantized(model: object, sample: np.ndarray) -> object:
    """The model with weights and activations in 8 bits; the sample sets their ranges."""
    import nncf

    batches = np.array_split(sample.astype(np.float32), max(1, len(sample) // CALIBRATION_BATCH))
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))


def augmented_views(
    forward: Forward, changes: Sequence[augmentation.Change], seed: int, count: int
) -> list[Forward]:
    """`count` functions from images to embeddings of randomly augmented images.

    Each has seeds of its own, and augments every batch anew, so that its results depend on the
    order of its calls. Raises UserError for changes that mix labels: a view keeps the label of
    its image.
    """
    mixing = [change.name for change in changes if change.mixes]
    if mixing:
        raise UserError(
            f"params.yaml, embed.views: {', '.join(mixing)} in train.augment mixes labels, which "
            "a view of one image cannot; leave it out or set embed.views: 0."
        )
    return [
        _augmenting(forward, augmentation.build(changes, seed + number * max(1, len(changes))))
        for number in range(count)
    ]


def _augmenting(forward: Forward, applied: augmentation.Augmentation) -> Forward:
    calls = itertools.count()

    def embedded(images: np.ndarray) -> np.ndarray:
        moved = applied.geometry.changed(images, next(calls)) if applied.geometry else images
        changed = moved.astype(np.float32)
        for layer in applied.layers:
            changed = layer(changed, training=True)
        return forward(np.asarray(changed))

    return embedded
