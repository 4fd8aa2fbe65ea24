"""What an exported model sees of pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.drift.image_properties import properties
from trackbed.inference.exported_model import EMBEDDING, PROBABILITIES, ExportedModel
from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.records import reader

BATCH = 32
MOST_HELD_OUT = 5000  # images that are compared at most


@dataclass(frozen=True)
class Observations:
    """Of some pictures, in one order.

    names, groups: text. probabilities: float32, (images, classes). embeddings: float32, (images,
    units). properties: float64, (images, properties), see image_properties.
    """

    names: list[str]
    groups: list[str]
    probabilities: np.ndarray
    embeddings: np.ndarray
    properties: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """The most probable class of every picture: int, shape (images,)."""
        return self.probabilities.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.names)


def outputs(
    model: ExportedModel, batches: Iterable[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, embeddings and properties, as in Observations.

    batches: of pictures, uint8, (some, side, side, 3), RGB. Raises Damaged where the model's
    outputs are not finite.
    """
    seen = [
        (*model.outputs(images, PROBABILITIES, EMBEDDING), properties(images)) for images in batches
    ]
    probabilities, embeddings, measured = map(np.concatenate, zip(*seen, strict=True))
    if not (np.isfinite(probabilities).all() and np.isfinite(embeddings).all()):
        raise Damaged(f"{model.folder}: the model's outputs are not finite. Train it anew.")
    return probabilities, embeddings, measured


def held_out_rows(data_path: Path, models_path: Path, seed: int = 0) -> pd.DataFrame:
    """Rows of the index that the model was not fitted to: the test part and the validation fold.

    Of more than MOST_HELD_OUT images whole groups are sampled. Raises UserError where a table is
    missing, or the tables do not belong together.
    """
    table = index.assigned(data_path / index.RECORDS, data_path / index.FOLDS)
    validation = tables.VALIDATION_TABLE.read(models_path)
    rows = table[(table["part"] == "test") | table["record"].isin(validation["record"])]
    if rows.empty:
        raise UserError(f"{data_path}: no held-out picture; there is no test part.")
    order = np.random.default_rng(seed).permutation(np.sort(rows["group"].unique()))
    images = rows.groupby("group").size()[order].cumsum()
    kept = images.index[images <= max(MOST_HELD_OUT, images.iloc[0])]
    return rows[rows["group"].isin(kept)].reset_index(drop=True)


def of_records(model: ExportedModel, records_path: Path, rows: pd.DataFrame) -> Observations:
    """What the model sees of some records. Raises UserError as reader.pixels does."""
    index.refuse_other_classes(rows, model.classes, model.folder)
    pixels = reader.pixels(records_path, rows, model.side, model.side)
    starts = range(0, len(rows), BATCH)
    batches = (pixels[start : start + BATCH] for start in starts)
    names, groups = rows["filename"].tolist(), rows["group"].tolist()
    return Observations(names, groups, *outputs(model, batches))
