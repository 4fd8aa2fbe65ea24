"""The trained network as TensorFlow computes it, written for other runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from trackbed.exporting import exported_folder
from trackbed.exporting.float32_copy import float32_copy
from trackbed.training import checkpoint


class TrainedNetwork:
    """A network from its `.keras` file, in float32.

    name: of the network; side: of its images, in pixels.
    """

    def __init__(self, model: keras.Model, classes: list[str]) -> None:
        self.name, self.side = model.name, model.input_shape[1]
        self._model, self._classes = float32_copy(model), classes

    def write(
        self, folder: Path, formats: Sequence[str], sample: np.ndarray | None, **values: Any
    ) -> None:
        """See exported_folder.write."""
        written = exported_folder.write(
            folder, self._model, self._classes, formats, sample, **values
        )
        self._forward = written

    def probabilities(
        self, images: np.ndarray, table: pd.DataFrame, rows: pd.DataFrame
    ) -> np.ndarray:
        """Class probabilities of images: float32, shape (images, classes); after `write`.

        images: uint8, those of some rows of the index.
        """
        return self._forward(images)


def read(folder: Path) -> TrainedNetwork:
    """The network of a folder. Raises UserError, see checkpoint.load."""
    return TrainedNetwork(*checkpoint.load(folder))
