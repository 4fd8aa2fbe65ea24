"""Probabilities of a saved model for records, from their images or their embeddings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from trackbed.evaluation import robustness
from trackbed.networks import embeddings
from trackbed.pipeline.errors import UserError
from trackbed.records import reader
from trackbed.training import batches

# Sums in another order differ in the last digits; another backbone or scaling differs in the first.
TOLERANCE = 1e-3
CHECKED = 16  # images


def probabilities(
    model: keras.Model, records_path: Path, rows: pd.DataFrame, batch: int
) -> np.ndarray:
    """Class probabilities of some rows of the index, float32, shape (rows, classes).

    The images are stretched to the input shape of the model.
    """
    return _of_pixels(model, _pixels(model, records_path, rows), batch)


def of_corrupted(
    model: keras.Model,
    records_path: Path,
    rows: pd.DataFrame,
    names: Sequence[str],
    batch: int,
    seed: int,
) -> Iterator[tuple[str, int, np.ndarray]]:
    """Corruption, grade and the most probable class (int, shape (rows,)) of the spoiled images.

    The whole model judges them, from pixels; those of one grade are in memory at a time, beside
    the images as they are.
    """
    images = _pixels(model, records_path, rows) if names else np.empty(0)
    for name in names:
        for grade in robustness.GRADES:
            spoiled = robustness.corrupted(images, rows["record"].to_numpy(), name, grade, seed)
            yield name, grade, _of_pixels(model, spoiled, batch).argmax(axis=1)


def _pixels(model: keras.Model, records_path: Path, rows: pd.DataFrame) -> np.ndarray:
    _, height, width, _ = model.input_shape
    return reader.pixels(records_path, rows, height, width)


def _of_pixels(model: keras.Model, images: np.ndarray, batch: int) -> np.ndarray:
    return model.predict(batches.in_order(images, batch=batch), verbose=0)


def of_embeddings(model: keras.Model, embedded: np.ndarray, batch: int) -> np.ndarray:
    """The same from embeddings by the model's backbone, float32, shape (rows, units)."""
    return embeddings.head(model).predict(batches.in_order(embedded, batch=batch), verbose=0)


def checked(
    model: keras.Model,
    stored: embeddings.Embeddings,
    records_path: Path,
    table: pd.DataFrame,
    rows: pd.DataFrame,
    batch: int,
) -> np.ndarray:
    """Class probabilities of test rows from stored embeddings, as the saved model computes them.

    Raises UserError if the embeddings do not come from the model's backbone, or if the model,
    given the images of some of the rows, says anything else.
    """
    stored.refuse_another(embeddings.weights_digest(embeddings.backbone(model)))
    found = of_embeddings(model, stored.reference(table, rows), batch)
    some = np.unique(np.linspace(0, len(rows) - 1, CHECKED).round().astype(int))
    directly = probabilities(model, records_path, rows.iloc[some], batch)
    difference = float(np.abs(directly - found[some]).max())
    if not difference <= TOLERANCE:
        raise UserError(
            f"{stored.folder}: the model's probabilities from images and from embeddings differ "
            f"by up to {difference:.2g} on {len(some)} test images. {embeddings.REMEDY}"
        )
    return found
