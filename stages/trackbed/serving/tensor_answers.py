"""Outputs of a model as tensors of the Open Inference Protocol, in JSON or binary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from trackbed.serving.tensors import BYTES, FP32, LENGTH, Output


def answer(
    head: dict[str, Any], arrays: Sequence[tuple[Output, np.ndarray]]
) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON where binary tensors follow it.

    arrays: float32, or text (dtype str) as BYTES.
    """
    outputs, binary = [], []
    for wanted, array in arrays:
        kind = FP32 if array.dtype == np.float32 else BYTES
        output = {"name": wanted.name, "datatype": kind, "shape": list(array.shape)}
        if wanted.binary:
            data = array.astype("<f4").tobytes() if kind == FP32 else _encoded(array)
            output["parameters"] = {"binary_data_size": len(data)}
            binary.append(data)
        else:
            output["data"] = array.ravel().tolist()
        outputs.append(output)
    text = json.dumps({**head, "outputs": outputs}, ensure_ascii=False, allow_nan=False).encode()
    return (b"".join([text, *binary]), len(text)) if binary else (text, None)


def _encoded(texts: np.ndarray) -> bytes:
    encoded = [text.encode() for text in texts.ravel().tolist()]
    return b"".join(LENGTH.pack(len(text)) + text for text in encoded)


def best_classes(probabilities: np.ndarray, classes: Sequence[str], count: int) -> np.ndarray:
    """The most probable classes of every image as `probability:number:name`, shape (images, n).

    The classification extension of Triton.
    """
    count = min(count, len(classes))
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    rows = [
        [f"{row[number]:.6f}:{number}:{classes[number]}" for number in best]
        for row, best in zip(probabilities, order, strict=True)
    ]
    return np.array(rows, dtype=str)
