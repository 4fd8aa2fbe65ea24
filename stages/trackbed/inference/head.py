"""The dense layers behind the embedding of an exported model, in NumPy."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trackbed.inference.exported_model import HEAD_FILE, REMEDY, ExportedModel, checked_content
from trackbed.pipeline.errors import Damaged


@dataclass(frozen=True)
class Dense:
    """A dense layer; activation: 'relu', 'linear' or, for the last layer, 'softmax'."""

    kernel: np.ndarray  # float32, (inputs, units)
    bias: np.ndarray  # float32, (units,)
    activation: str


@dataclass(frozen=True)
class Head:
    """From embeddings to probabilities; the last layer is a softmax over the classes."""

    layers: Sequence[Dense]

    def logits(self, embeddings: np.ndarray) -> np.ndarray:
        """Inputs of the softmax: float32, shape (images, classes).

        embeddings: float32, shape (images, units).
        """
        values = embeddings
        for layer in self.layers:
            values = values @ layer.kernel + layer.bias
            if layer.activation == "relu":
                values = np.maximum(values, 0)
        return values

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Class probabilities: float32, shape (images, classes)."""
        logits = self.logits(embeddings)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


def arrays(head: Head) -> dict[str, np.ndarray]:
    """The content of head.npz."""
    named = enumerate(head.layers)
    return {
        f"{name}_{number}": getattr(layer, name)
        for number, layer in named
        for name in ("kernel", "bias")
    }


def read(model: ExportedModel) -> Head | None:
    """The head of an exported model; None where it has other layers than dense ones.

    Raises UserError for a missing file, Damaged for a broken one or one that differs from its
    digest.
    """
    activations = model.description["head"]
    if activations is None:
        return None
    content = checked_content(model.folder, model.description, HEAD_FILE)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            layers = [
                Dense(stored[f"kernel_{number}"], stored[f"bias_{number}"], activation)
                for number, activation in enumerate(activations)
            ]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise Damaged(f"{model.folder / HEAD_FILE}: broken ({error}). {REMEDY}") from None
    return Head(layers)
