"""The extra `openvino`: a backbone in Intel's inference engine, down to 8-bit integers."""

import keras
import numpy as np

from trackbed.learning.embeddings import Forward
from trackbed.problems import Problem

CALIBRATION_BATCH = 8  # images
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}


def forward(backbone: keras.Model, precision: str, sample: np.ndarray) -> Forward:
    """See engines.forward. Raises Problem where the extra is not installed."""
    try:
        import openvino
    except ModuleNotFoundError:
        raise Problem(
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
    """Weights and activations in 8 bits, their ranges taken from the sample."""
    import nncf

    batches = np.array_split(sample.astype(np.float32), max(1, len(sample) // CALIBRATION_BATCH))
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))
