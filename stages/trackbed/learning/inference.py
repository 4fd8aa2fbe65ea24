"""What a saved model says about records."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
