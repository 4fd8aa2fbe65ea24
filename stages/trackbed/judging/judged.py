"""A test part and what a model says of it: the tables and scores that follow from both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trackbed.judging import calibration, intervals, refusal, scores, slices
from trackbed.judging.intervals import Intervals


@dataclass(frozen=True)
class Judged:
    """rows: of the index; names: the classes; probabilities: float, shape (rows, classes), those
    that are reported; calibrated: the same with the temperature; seed: of the bootstrap.
    """

    rows: pd.DataFrame
    names: list[str]
    probabilities: np.ndarray
    calibrated: np.ndarray
    seed: int

    @cached_property
    def labels(self) -> np.ndarray:
        """The true classes: int, shape (rows,)."""
        return self.rows["label"].to_numpy()

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable classes: int, shape (rows,); of equal ones the first."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def groups(self) -> np.ndarray:
        """What is drawn as a whole by the bootstrap: shape (rows,)."""
        return self.rows["group"].to_numpy()

    @cached_property
    def confidence(self) -> np.ndarray:
        """The highest probabilities: float, shape (rows,)."""
        return self.probabilities.max(axis=1)

    @cached_property
    def matrix(self) -> np.ndarray:
        """See scores.confusion."""
        return scores.confusion(self.labels, self.predicted, len(self.names))

    @cached_property
    def intervals(self) -> Intervals:
        """Of macro F1, accuracy and the F1 of every class."""
        return intervals.intervals(
            self.labels, self.predicted, self.groups, len(self.names), self.seed
        )

    def summary(self) -> pd.DataFrame:
        """Per class and in the mean, see scores.summary."""
        spread = self.intervals
        table = scores.per_class(self.matrix)
        return scores.summary(table, self.names, spread.f1, spread.overall["macro_f1"])

    def confusion(self) -> pd.DataFrame:
        """See scores.named."""
        return scores.named(self.matrix, self.names)

    def reliability(self) -> pd.DataFrame:
        """See calibration.beside."""
        both = (self.probabilities, self.calibrated)
        return calibration.beside(*(calibration.reliability(said, self.labels) for said in both))

    def coverage(self) -> pd.DataFrame:
        """See refusal.coverage."""
        return refusal.coverage(self.confidence, self.predicted == self.labels)

    def slices(self) -> pd.DataFrame:
        """See slices.slices."""
        return slices.slices(self.rows, self.labels, self.predicted, self.names, self.seed)

    def overall(self, k: int) -> dict[str, float]:
        """The scores of all images, those with an interval followed by it; k: of top-k."""
        found = scores.overall(self.probabilities, self.labels, k)
        counts = {
            "images": len(self.rows),
            "classes_without_images": int((self.matrix.sum(axis=1) == 0).sum()),
        }
        return (
            intervals.beside(found, self.intervals.overall)
            | calibration.scores(self.probabilities, self.labels)
            | counts
        )

    def refused(self, threshold: float | None) -> dict[str, float | None]:
        """What a threshold of confidence does here, see refusal.measured."""
        return refusal.measured(
            threshold, self.confidence, self.labels, self.predicted, self.groups, self.seed
        )
