"""A frozen backbone, saved once for all heads that are trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.exporting import onnx_export
from trackbed.exporting.convertible_copy import convertible_copy
from trackbed.inference.exported_model import EMBEDDING, IMAGES
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import replacing
from trackbed.records.embedding_store import BACKBONE_FILE, NETWORK_FILE, Forward, digest
from trackbed.training import checkpoint, keras_archive

# Of the largest number of the embeddings: room for sums in another order, in float32, and none for
# another scaling. The probabilities are compared more strictly in stage `export`, see parity.
TOLERANCE = 1e-4


def write(
    folder: Path, network: keras.Model, forward: Forward, images: np.ndarray
) -> dict[str, Any]:
    """Write NETWORK_FILE and BACKBONE_FILE; returns what embeddings.json says of them.

    network: with an untrained head. forward: its backbone in TensorFlow and float32, which is
    compared on images: uint8, shape (images, side, side, 3).
    Raises UserError where ONNX Runtime answers differently from TensorFlow.
    """
    checkpoint.save_network(folder, network)
    (folder / checkpoint.MODEL_FILE).rename(folder / NETWORK_FILE)
    content = onnx_export.onnx_bytes(onnx_export.traced_backbone(convertible_copy(network)))
    refuse_other_answers(content, forward, images)
    with replacing(folder / BACKBONE_FILE) as temporary:
        temporary.write_bytes(content)
    return {
        "saved_backbone": keras_archive.read(folder / NETWORK_FILE).backbone_digest(),
        "files": {name: digest(folder / name) for name in (NETWORK_FILE, BACKBONE_FILE)},
    }


def refuse_other_answers(content: bytes, forward: Forward, images: np.ndarray) -> None:
    """Raise UserError where a backbone as ONNX gives other embeddings than `forward`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run([EMBEDDING], {IMAGES: images})
    expected = forward(images)
    difference, largest = np.abs(found - expected).max(), np.abs(expected).max()
    if not difference <= TOLERANCE * largest:  # both 0 where every image gives zeros
        raise UserError(
            f"the backbone as ONNX answers differently from TensorFlow on {len(images)} images: "
            f"embeddings differ by up to {difference:.2g}, their largest number is {largest:.2g}, "
            f"at most {TOLERANCE:g} of that is allowed. Try the locked versions of tf2onnx and "
            "onnxruntime (`make install`)."
        )
