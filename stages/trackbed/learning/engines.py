"""Run a frozen backbone over images, as fast as an engine can at a precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from trackbed.problems import Problem

Forward = Callable[[np.ndarray], np.ndarray]
"""uint8 or float32 pixels (batch, side, side, 3) to float32 embeddings (batch, units)."""


def forward(backbone: keras.Model, engine: str, precision: str, sample: np.ndarray) -> Forward:
    """The backbone as a function.

    engine: 'tensorflow' or 'openvino'; precision: 'float32', 'bfloat16' or, with openvino,
    'int8', which is calibrated on `sample` (uint8 images).
    Raises Problem for an engine that is not installed or has no such precision.
    """
    if engine == "openvino":
        from trackbed.learning import openvino_engine

        return openvino_engine.forward(backbone, precision, sample)
    if precision == "int8":
        raise Problem("params.yaml, embed.precision: int8 needs embed.engine: openvino.")
    return _compiled(backbone, precision)


def _compiled(backbone: keras.Model, precision: str) -> Forward:
    """A graph, which is faster than Keras' `predict`; XLA is not, on a CPU."""
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
    """Lets the graph optimizer choose bfloat16 for convolutions and products on a CPU.

    Quicker than Keras' policy mixed_bfloat16, whose casts remain. The options are global.
    """
    key = "auto_mixed_precision_onednn_bfloat16"
    tf.config.optimizer.set_experimental_options({key: bfloat16})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({key: False})
