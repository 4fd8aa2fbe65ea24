"""What a saved model says about records, from their images or their embeddings."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd

from trackbed.ingest import records
from trackbed.learning import batches, embeddings, halves
from trackbed.problems import Diverged, Problem

# Sums in another order differ in the last digits; another backbone or scaling differs in the first.
TOLERANCE = 1e-3
CHECKED = 16  # images


def probabilities(
    model: keras.Model, records_path: Path, rows: pd.DataFrame, batch: int
) -> np.ndarray:
    """Class probabilities of some rows of the index, float32, shape (rows, classes).

    The images are stretched to the input shape of the model. Raises Diverged where one is not
    finite.
    """
    _, height, width, _ = model.input_shape
    images = records.pixels(records_path, rows, height, width)
    return _predicted(model, images, batch)


def of_embeddings(model: keras.Model, embedded: np.ndarray, batch: int) -> np.ndarray:
    """The same from embeddings by the model's backbone, float32, shape (rows, units)."""
    return _predicted(halves.head(model), embedded, batch)


def checked(
    model: keras.Model,
    stored: embeddings.Embeddings,
    records_path: Path,
    table: pd.DataFrame,
    rows: pd.DataFrame,
    batch: int,
) -> np.ndarray:
    """Class probabilities of test rows from stored embeddings, as the saved model computes them.

    Raises Problem if the embeddings do not come from the model's backbone, or if the model,
    given the images of some of the rows, says anything else.
    """
    stored.refuse_another(halves.digest(halves.backbone(model)))
    found = of_embeddings(model, stored.reference(table, rows), batch)
    some = np.unique(np.linspace(0, len(rows) - 1, CHECKED).round().astype(int))
    directly = probabilities(model, records_path, rows.iloc[some], batch)
    difference = float(np.abs(directly - found[some]).max())
    if not difference <= TOLERANCE:
        raise Problem(
            f"{stored.folder}: the model's probabilities from images and from embeddings differ "
            f"by up to {difference:.2g} on {len(some)} test images. {embeddings.REMEDY}"
        )
    return found


def _predicted(model: keras.Model, values: np.ndarray, batch: int) -> np.ndarray:
    found = model.predict(batches.in_order(values, batch=batch), verbose=0)
    if not np.isfinite(found).all():
        raise Diverged(
            f"the model gives {(~np.isfinite(found)).any(axis=1).sum()} of {len(found)} images "
            "probabilities that are not finite. Train it anew with a lower train.learning_rate."
        )
    return found
