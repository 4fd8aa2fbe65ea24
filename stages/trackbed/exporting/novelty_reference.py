"""The embeddings that new pictures are compared with, out of the records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.inference import exported_model, novelty
from trackbed.inference.exported_model import EMBEDDING, ExportedModel
from trackbed.pipeline.outputs import write_arrays, write_json
from trackbed.records import reader
from trackbed.records.embedding_store import Embeddings

BATCH = 32  # images at a time


@dataclass(frozen=True)
class Embedder:
    """Embeddings of records: stored ones of the frozen backbone, if any, or out of the images."""

    model: ExportedModel
    records_path: Path
    stored: Embeddings | None

    def embeddings(self, rows: pd.DataFrame) -> np.ndarray:
        """Embeddings of some rows of the index: float32, shape (rows, units).

        Stored ones only where they are those of the model: of a backbone in float32. Raises
        UserError where they come from another backbone.
        """
        if self.stored is not None and self.stored.about["exact"]:
            self.stored.refuse_other_backbone(self.model.description["backbone"])
            return self.stored.of(rows)
        images = reader.pixels(self.records_path, rows, self.model.side, self.model.side)
        starts = range(0, len(images), BATCH)
        some = [self.model.outputs(images[start : start + BATCH], EMBEDDING)[0] for start in starts]
        return np.concatenate(some)


def reference(
    embedder: Embedder, training: pd.DataFrame, validation: pd.DataFrame
) -> novelty.Reference:
    """The reference of rows that were trained on and of rows that were not; a part of many."""
    some = validation.iloc[novelty.spread(len(validation), novelty.MAX_HELD_OUT)]
    held_out = embedder.embeddings(some)
    places = novelty.chosen(training["label"].to_numpy(), units=held_out.shape[1])
    return novelty.build(embedder.embeddings(training.iloc[places]), held_out)


def add(folder: Path, reference: novelty.Reference) -> None:
    """Add a reference to the folder of an exported model, and its digest to the description."""
    path = folder / novelty.REFERENCE_FILE
    write_arrays(path, reference.arrays())
    content = path.read_bytes()
    description = exported_model.read_description(folder)
    described = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    description["files"][path.name] = described
    write_json(folder / exported_model.DESCRIPTION_FILE, description)
