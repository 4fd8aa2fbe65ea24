"""What a saved model says about records."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trackbed.judging.predictions import PROBABILITY_PREFIX

if TYPE_CHECKING:
    import keras


def probabilities(
    model: "keras.Model", records_path: Path, rows: pd.DataFrame, batch: int
) -> np.ndarray:
    """Class probabilities of some rows of the index, float32, shape (rows, classes).

    The images are stretched to the input shape of the model.
    """
    from trackbed.ingest import records
    from trackbed.learning import batches

    _, height, width, _ = model.input_shape
    images = records.pixels(records_path, rows, height, width)
    return model.predict(batches.in_order(images, batch=batch), verbose=0)


def answers(rows: pd.DataFrame, classes: list[str], probabilities: np.ndarray) -> pd.DataFrame:
    """The table of predictions for some rows of the index, columns as in `predictions`.

    probabilities: float, shape (rows, classes); of equal highest ones the first class counts.
    """
    names = np.array(classes, dtype=object)
    table = rows[["record", "filename", "group"]].reset_index(drop=True)
    table["true"] = names[rows["label"]]
    table["predicted"] = names[probabilities.argmax(axis=1)]
    table["confidence"] = probabilities.max(axis=1)
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)
