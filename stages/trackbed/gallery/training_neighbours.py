"""The training images that the model finds most like a test picture."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.inference import novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tables

COUNT = 5  # of a picture


@dataclass(frozen=True)
class Neighbours:
    """rows: of the index, each once; places: of them, int, shape (pictures, up to COUNT).

    Nearest first. distances: of their embeddings as unit vectors, 0 to 2, of the shape of places.
    """

    rows: pd.DataFrame
    places: np.ndarray
    distances: np.ndarray


def nearest(
    model: ExportedModel, models_path: Path, table: pd.DataFrame, embeddings: np.ndarray
) -> Neighbours | None:
    """The neighbours of embeddings, float32, shape (pictures, units).

    Among the training images that came with the model for novelty: all of them, or of many a part,
    see inference.novelty. models_path: the folder of the trained model, which says what was held
    out; table: the index with its parts. None where the model came without them, or with others.
    """
    reference = novelty.read(model)
    if reference is None:
        return None
    held_out = table["record"].isin(tables.VALIDATION_TABLE.read(models_path)["record"])
    training = table[~held_out & (table["part"] != "test")]
    kept = novelty.chosen(training["label"].to_numpy(), embeddings.shape[1])
    if len(kept) != len(reference.training):
        return None
    likeness = novelty.unit_vectors(embeddings) @ reference.training.T
    found = np.argsort(-likeness, axis=1, kind="stable")[:, :COUNT]
    distances = np.sqrt(np.maximum(2 - 2 * np.take_along_axis(likeness, found, axis=1), 0))
    used, places = np.unique(found, return_inverse=True)
    return Neighbours(training.iloc[kept[used]], places.reshape(found.shape), distances)
