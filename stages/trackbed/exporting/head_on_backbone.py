"""A trained head behind a stored backbone, written as ONNX without TensorFlow."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.exporting import exported_files
from trackbed.exporting.exported_files import Facts
from trackbed.inference.head import Dense, Head
from trackbed.records.embedding_store import BACKBONE_FILE, Embeddings
from trackbed.training import checkpoint, keras_archive


@dataclass(frozen=True)
class HeadOnBackbone:
    """A network whose backbone is that of stored embeddings, with weights for weights."""

    facts: Facts
    backbone: bytes  # as ONNX
    stored: Embeddings

    @property
    def name(self) -> str:
        """Of the network."""
        return self.facts.name

    @property
    def side(self) -> int:
        """Of the images, in pixels."""
        return self.facts.side

    def write(
        self, folder: Path, formats: Sequence[str], sample: np.ndarray | None, **values: Any
    ) -> None:
        """Write the network as ONNX into an empty folder; values: further keys of model.json."""
        from trackbed.exporting import onnx_graph

        head = self.facts.head
        exported_files.write_model(folder, onnx_graph.with_head(self.backbone, head), head)
        exported_files.write_description(folder, self.facts, **values)

    def probabilities(
        self, images: np.ndarray, table: pd.DataFrame, rows: pd.DataFrame
    ) -> np.ndarray:
        """Class probabilities of test rows of the index: float32, shape (rows, classes).

        By the head in NumPy, of the embeddings that TensorFlow gave in float32 in stage `embed`.
        """
        return self.facts.head.probabilities(self.stored.reference(table, rows))


def read(folder: Path, stored: Embeddings | None, formats: Sequence[str]) -> HeadOnBackbone | None:
    """The network of a folder, if a head behind the stored backbone is all that it is.

    None where TensorFlow is needed: without stored embeddings or with those of an earlier version,
    for other formats than ONNX, for layers of another precision or with other weights than those
    that were embedded, and for a file that only Keras can explain.
    Raises UserError for a missing file of the embeddings, Damaged for one that was changed.
    """
    if stored is None or formats or (path := stored.checked(BACKBONE_FILE)) is None:
        return None
    try:
        archive = keras_archive.read(folder / checkpoint.MODEL_FILE)
        if archive.backbone_digest() != stored.about["saved_backbone"]:
            return None
        classes = json.loads((folder / checkpoint.CLASSES_FILE).read_text("utf-8"))["classes"]
        facts = Facts(
            archive.name,
            classes,
            int(stored.about["of"]["image_side"]),
            Head([Dense(*layer) for layer in archive.head()]),
            stored.about["backbone"],
        )
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile):
        return None
    return HeadOnBackbone(facts, path.read_bytes(), stored)
