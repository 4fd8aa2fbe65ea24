"""A test part with the probabilities of a model: the tables and scores that follow from both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from trackbed.evaluation import calibration, intervals, metrics, selective_prediction, slices
from trackbed.evaluation.intervals import Intervals

SCORES_FILE = "evaluate.json"  # in the metrics folder, the others in that of the plots
SUMMARY_FILE = "evaluation_summary.csv"
CONFUSION_FILE = "confusion_matrix.csv"
RELIABILITY_FILE = "reliability.csv"
COVERAGE_FILE = "coverage.csv"
SLICES_FILE = "slices.csv"
CORRUPTIONS_FILE = "corruptions.csv"


@dataclass(frozen=True)
class EvaluationResult:
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
        return metrics.confusion(self.labels, self.predicted, len(self.names))

    @cached_property
    def intervals(self) -> Intervals:
        """Of macro F1, accuracy and the F1 of every class."""
        return intervals.intervals(
            self.labels, self.predicted, self.groups, len(self.names), self.seed
        )

    def summary(self) -> pd.DataFrame:
        """Per class and in the mean, see scores.summary."""
        spread = self.intervals
        table = metrics.per_class(self.matrix)
        return metrics.summary(table, self.names, spread.f1, spread.overall["macro_f1"])

    def confusion(self) -> pd.DataFrame:
        """See scores.named."""
        return metrics.named(self.matrix, self.names)

    def reliability(self) -> pd.DataFrame:
        """See calibration.beside."""
        both = (self.probabilities, self.calibrated)
        return calibration.beside(*(calibration.reliability(said, self.labels) for said in both))

    def coverage(self) -> pd.DataFrame:
        """See refusal.coverage."""
        return selective_prediction.coverage(self.confidence, self.predicted == self.labels)

    def slices(self) -> pd.DataFrame:
        """See slices.slices."""
        return slices.slices(self.rows, self.labels, self.predicted, self.names, self.seed)

    def overall(self, k: int) -> dict[str, float]:
        """The scores of all images, those with an interval followed by it; k: of top-k."""
        found = metrics.overall(self.probabilities, self.labels, k)
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
        return selective_prediction.measured(
            threshold, self.confidence, self.labels, self.predicted, self.groups, self.seed
        )


def precision_check(
    labels: np.ndarray,
    quick: np.ndarray,
    exact: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Share of equal predictions, and the macro F1 of the quick ones less that of the exact ones.

    labels, quick, exact: int, shape (images,). The difference has a 95 % interval, see
    intervals.macro_f1_difference.
    """
    difference, low, high = intervals.macro_f1_difference(
        labels, (quick, exact), groups, classes, seed
    )
    return {
        "embed_equal": float((quick == exact).mean()),
        "embed_macro_f1_difference": difference,
        "embed_macro_f1_difference_low": low,
        "embed_macro_f1_difference_high": high,
    }
