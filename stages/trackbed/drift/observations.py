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
MOST_TRAINED = 5000


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


@dataclass(frozen=True)
class TrainingPictures:
    """Pictures that the model was fitted to, of which only what no model is needed for is compared.

    groups: text. labels: int, shape (images,). properties: float64, (images, properties).
    """

    groups: list[str]
    labels: np.ndarray
    properties: np.ndarray


def rows_of_index(
    data_path: Path, models_path: Path, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of the index that the model was not fitted to, and of those that it was.

    The first are the test part and the validation fold. Of more than MOST_HELD_OUT and MOST_TRAINED
    images whole groups are sampled. Raises UserError where a table is missing, or the tables do not
    belong together.
    """
    table = index.assigned(data_path / index.RECORDS, data_path / index.FOLDS)
    validation = tables.VALIDATION_TABLE.read(models_path)
    is_held_out = (table["part"] == "test") | table["record"].isin(validation["record"])
    if not is_held_out.any():
        raise UserError(f"{data_path}: no held-out picture; there is no test part.")
    trained = table[~is_held_out]
    return _sampled(table[is_held_out], MOST_HELD_OUT, seed), _sampled(trained, MOST_TRAINED, seed)


def _sampled(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """About `most` rows at most, whole groups, at least one."""
    order = np.random.default_rng(seed).permutation(np.sort(rows["group"].unique()))
    images = rows.groupby("group").size()[order].cumsum()
    kept = images.index[images <= max(most, images.iloc[0])] if len(images) else order
    return rows[rows["group"].isin(kept)].reset_index(drop=True)


def training_pictures(records_path: Path, rows: pd.DataFrame, side: int) -> TrainingPictures:
    """Some records at the size that the network sees. Raises UserError as reader.pixels does."""
    measured = properties(reader.pixels(records_path, rows, side, side))
    return TrainingPictures(rows["group"].tolist(), rows["label"].to_numpy(), measured)


def of_records(model: ExportedModel, records_path: Path, rows: pd.DataFrame) -> Observations:
    """What the model sees of some records. Raises UserError as reader.pixels does."""
    index.refuse_other_classes(rows, model.classes, model.folder)
    pixels = reader.pixels(records_path, rows, model.side, model.side)
    starts = range(0, len(rows), BATCH)
    batches = (pixels[start : start + BATCH] for start in starts)
    names, groups = rows["filename"].tolist(), rows["group"].tolist()
    return Observations(names, groups, *outputs(model, batches))
