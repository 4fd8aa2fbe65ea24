"""A backbone as a compiled graph of TensorFlow."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from trackbed.learning.embeddings import Forward


def forward(backbone: keras.Model, precision: str) -> Forward:
    """See engines.forward. Faster than Keras' `predict`; XLA is not, on a CPU."""
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
