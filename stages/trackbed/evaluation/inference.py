"""Predictions of a saved model for records, from their images or their embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from trackbed.evaluation import robustness
from trackbed.networks import embeddings
from trackbed.networks.embeddings import Embeddings
from trackbed.pipeline.errors import UserError
from trackbed.records import reader
from trackbed.training import batches

# Sums in another order differ in the last digits; another backbone or scaling differs in the first.
TOLERANCE = 1e-3
CHECKED = 16  # images


@dataclass(frozen=True)
class Classifier:
    """A saved model and the records that it reads; batch: images predicted at a time."""

    model: keras.Model
    records_path: Path
    batch: int

    def probabilities(
        self, rows: pd.DataFrame, table: pd.DataFrame, stored: Embeddings | None
    ) -> np.ndarray:
        """Class probabilities of some rows of the index, float32, shape (rows, classes).

        table: the whole index. From the embeddings where there are any, else from the images,
        stretched to the input shape of the model. Raises UserError if the embeddings come from
        another backbone, or if the model gives other probabilities for the images of some rows.
        """
        if stored is None:
            return self._from_pixels(self._pixels(rows))
        stored.refuse_other_backbone(embeddings.weights_digest(embeddings.backbone(self.model)))
        found = self._from_embeddings(stored.reference(table, rows))
        self._refuse_difference(rows, found, stored.folder)
        return found

    def approximate(self, rows: pd.DataFrame, stored: Embeddings | None) -> np.ndarray | None:
        """Labels predicted from the embeddings that the head was trained on: int, shape (rows,).

        None where there are no embeddings, or these are the exact ones that are evaluated anyway.
        """
        if stored is None or stored.about["exact"]:
            return None
        return self._from_embeddings(stored.of(rows)).argmax(axis=1)

    def corrupted(
        self, rows: pd.DataFrame, names: Sequence[str], seed: int
    ) -> list[robustness.Prediction]:
        """Predictions for corrupted images, by corruption (a name that repeats counts once) and
        grade. They are made from pixels; the images of one grade are in memory at a time, beside
        the originals.
        """
        images = self._pixels(rows) if names else np.empty(0)
        made = []
        for name in dict.fromkeys(names):
            for grade in robustness.GRADES:
                changed = robustness.corrupted(images, rows["record"].to_numpy(), name, grade, seed)
                labels = self._from_pixels(changed).argmax(axis=1)
                made.append(robustness.Prediction(name, grade, labels))
        return made

    def _refuse_difference(self, rows: pd.DataFrame, found: np.ndarray, folder: Path) -> None:
        some = np.unique(np.linspace(0, len(rows) - 1, CHECKED).round().astype(int))
        directly = self._from_pixels(self._pixels(rows.iloc[some]))
        difference = float(np.abs(directly - found[some]).max())
        if not difference <= TOLERANCE:
            raise UserError(
                f"{folder}: the model's probabilities from images and from embeddings differ by up "
                f"to {difference:.2g} on {len(some)} test images. {embeddings.REMEDY}"
            )

    def _pixels(self, rows: pd.DataFrame) -> np.ndarray:
        _, height, width, _ = self.model.input_shape
        return reader.pixels(self.records_path, rows, height, width)

    def _from_pixels(self, images: np.ndarray) -> np.ndarray:
        return self.model.predict(batches.in_order(images, batch=self.batch), verbose=0)

    def _from_embeddings(self, embedded: np.ndarray) -> np.ndarray:
        head = embeddings.head(self.model)
        return head.predict(batches.in_order(embedded, batch=self.batch), verbose=0)
