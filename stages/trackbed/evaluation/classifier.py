"""Predictions of an exported model for records, from their images or their embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.evaluation import robustness
from trackbed.inference import head
from trackbed.inference.exported_model import EMBEDDING, PROBABILITIES, ExportedModel
from trackbed.pipeline.errors import UserError
from trackbed.records import embedding_store, reader
from trackbed.records.embedding_store import Embeddings

# Sums in another order differ in the last digits; another backbone or scaling differs in the first.
TOLERANCE = 1e-3
CHECKED = 16  # images


@dataclass(frozen=True)
class Classifier:
    """An exported model and the records that it reads; batch: images predicted at a time."""

    model: ExportedModel
    records_path: Path
    batch: int

    def outputs(
        self, rows: pd.DataFrame, table: pd.DataFrame, stored: Embeddings | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities and embeddings of some rows of the index, both float32.

        Of shape (rows, classes) and (rows, units). table: the whole index. From the stored
        embeddings where there are any and the head consists of dense layers, else from the images,
        stretched to the input shape of the model.
        Raises UserError if the embeddings come from another backbone, or if the model gives other
        probabilities for the images of some rows.
        """
        if stored is None or self._head is None:
            return self._outputs(self._pixels(rows))
        stored.refuse_other_backbone(self.model.description["backbone"])
        embedded = stored.reference(table, rows)
        found = self._from_embeddings(embedded)
        self._refuse_difference(rows, found, stored.folder)
        return found, embedded

    def approximate(self, rows: pd.DataFrame, stored: Embeddings | None) -> np.ndarray | None:
        """Labels predicted from the embeddings that the head was trained on: int, shape (rows,).

        None where there are no embeddings, or these are the exact ones that are evaluated anyway.
        """
        if stored is None or self._head is None or stored.about["exact"]:
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
                f"to {difference:.2g} on {len(some)} test images. {embedding_store.REMEDY}"
            )

    @cached_property
    def _head(self) -> head.Head | None:
        return head.read(self.model)

    def _pixels(self, rows: pd.DataFrame) -> np.ndarray:
        return reader.pixels(self.records_path, rows, self.model.side, self.model.side)

    def _outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        starts = range(0, max(len(images), 1), self.batch)  # once for no images: of their shapes
        found = [
            self.model.outputs(images[start : start + self.batch], PROBABILITIES, EMBEDDING)
            for start in starts
        ]
        probabilities, embedded = zip(*found, strict=True)
        return np.concatenate(probabilities), np.concatenate(embedded)

    def _from_pixels(self, images: np.ndarray) -> np.ndarray:
        return self.model.probabilities(images, self.batch)

    def _from_embeddings(self, embedded: np.ndarray) -> np.ndarray:
        return self._head.probabilities(embedded)
