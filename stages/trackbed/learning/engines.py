"""Run a frozen backbone over images, as fast as an engine can at a precision."""

from typing import TYPE_CHECKING

import numpy as np

from trackbed.learning.embeddings import Forward
from trackbed.problems import Problem

if TYPE_CHECKING:
    import keras


def forward(backbone: "keras.Model", engine: str, precision: str, sample: np.ndarray) -> Forward:
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
    from trackbed.learning import tensorflow_engine

    return tensorflow_engine.forward(backbone, precision)
