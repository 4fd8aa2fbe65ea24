"""A Keras model as the folder of an exported model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.exporting import converters, exported_files, network_parts, onnx_export
from trackbed.exporting.convertible_copy import convertible_copy
from trackbed.exporting.exported_files import Facts
from trackbed.inference.exported_model import PROBABILITIES
from trackbed.inference.other_runtimes import BATCH, Forward
from trackbed.networks import embeddings


def write(
    folder: Path,
    network: keras.Model,
    classes: list[str],
    formats: Sequence[str] = (),
    sample: np.ndarray | None = None,
    **values: Any,
) -> Forward:
    """Write a network into an empty folder as ONNX and in further formats, see docs/export.md.

    network: in float32, see `float32_copy`. formats: see inference.other_runtimes. sample: images
    of the training part for int8, see converters.write. values: further keys of model.json, such
    as temperature and refusal_threshold.
    Returns the network itself, as TensorFlow computes it.
    """
    facts = _facts(network, classes)
    converted = convertible_copy(network)
    function = onnx_export.traced(converted)
    exported_files.write_model(folder, onnx_export.onnx_bytes(function), facts.head)
    for name in formats:
        converters.write(folder, name, converted, sample)
    exported_files.write_description(folder, facts, **values)
    own = function if converted is network else onnx_export.traced(network)

    def probabilities(images: np.ndarray) -> np.ndarray:
        starts = range(0, len(images), BATCH)
        some = [own(images[start : start + BATCH])[PROBABILITIES] for start in starts]
        return np.concatenate([np.empty((0, len(classes)), np.float32), *some])

    return probabilities


def _facts(model: keras.Model, classes: list[str]) -> Facts:
    backbone = embeddings.backbone(model) if embeddings.has_backbone(model) else None
    return Facts(
        model.name,
        classes,
        model.input_shape[1],
        network_parts.parts(model).head,
        None if backbone is None else embeddings.weights_digest(backbone),
    )
