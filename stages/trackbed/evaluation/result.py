"""The evaluation of a model on the test part: all its scores and tables from one object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import (
    baselines,
    calibration,
    comparison,
    embedding_map,
    intervals,
    metrics,
    mistakes,
    ranking,
    robustness,
    scores,
    selective_prediction,
    slices,
)
from trackbed.evaluation.intervals import Intervals
from trackbed.inference.temperature import with_temperature
from trackbed.pipeline import tables
from trackbed.pipeline.outputs import replacing_folder, write_json

SCORES_FILE = "evaluate.json"  # in the metrics folder
# The test score that `dvc exp show` has room for beside the parameters, at 100 characters.
SCORES_COLUMNS = ("macro_f1",)
FALSE_INFERENCES_FILE = "false_inferences.json"  # in the folder of the predictions


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """What a model and the baselines predict for the test part, and what follows from it.

    rows: of the index, the test part. classes: names in label order. model_probabilities: of the
    model, float, shape (rows, classes). embeddings: of the model, float, shape (rows, units).
    validation: the predictions for the validation fold, see pipeline.tables. baselines: predicted
    labels by name, int, shape (rows,). approximate: labels predicted from the embeddings that the
    head was trained on, or None where these are exact. corrupted: corruption, grade and predicted
    labels. The other fields are the parameters of section `evaluate`.
    """

    rows: pd.DataFrame
    classes: list[str]
    model_probabilities: np.ndarray
    embeddings: np.ndarray
    validation: pd.DataFrame
    baselines: Mapping[str, np.ndarray]
    approximate: np.ndarray | None
    corrupted: Sequence[robustness.Prediction]
    top_k: int
    seed: int
    use_temperature: bool
    wanted_precision: float

    @cached_property
    def labels(self) -> np.ndarray:
        """The true classes: int, shape (rows,)."""
        return self.rows["label"].to_numpy()

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable classes: int, shape (rows,); the first of equally probable ones."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def groups(self) -> np.ndarray:
        """What the bootstrap resamples as a whole: shape (rows,)."""
        return self.rows["group"].to_numpy()

    @property
    def test_part(self) -> str:
        """See comparison.fingerprint."""
        return comparison.fingerprint(self.rows, self.classes)

    @cached_property
    def temperature(self) -> float:
        """See calibration.fitted_temperature; fitted on the validation fold."""
        fold = self.validation
        return calibration.fitted_temperature(tables.probabilities(fold), tables.labels(fold))

    @cached_property
    def calibrated(self) -> np.ndarray:
        """The model's probabilities with the temperature: float, shape (rows, classes)."""
        return with_temperature(self.model_probabilities, self.temperature)

    @property
    def probabilities(self) -> np.ndarray:
        """Those that are reported: `calibrated` or the model's own."""
        return self.calibrated if self.use_temperature else self.model_probabilities

    @cached_property
    def confidence(self) -> np.ndarray:
        """The highest probabilities: float, shape (rows,)."""
        return self.probabilities.max(axis=1)

    @cached_property
    def intervals(self) -> Intervals:
        """Of macro F1, accuracy and the F1 of every class."""
        return intervals.intervals(
            self.labels, self.predicted, self.groups, len(self.classes), self.seed
        )

    @cached_property
    def corruptions(self) -> pd.DataFrame:
        """See robustness.table."""
        return robustness.table(self.labels, self.predicted, self.corrupted, len(self.classes))

    def scores(self) -> dict[str, Any]:
        """All values of evaluate.json, in the order of scores.SCORES."""
        k = min(self.top_k, len(self.classes))
        answers = metrics.Answers(self.probabilities, self.calibrated, self.labels, k)
        return scores.ordered(
            scores.computed(answers)
            | intervals.bounds(self.intervals.overall)
            | self._embedding_check()
            | self._selective_prediction()
            | self._baseline_gain()
            | {"temperature": self.temperature, "test_part": self.test_part}
            | robustness.mean_accuracy(self.corruptions)
        )

    def write(self, predictions_path: Path, metrics_path: Path, plots_path: Path) -> dict[str, Any]:
        """Write the predictions, the tables and evaluate.json; the scores of the last.

        Raises Diverged where a probability is not finite.
        """
        self.write_predictions(predictions_path)
        self.write_tables(plots_path)
        scores = self.scores()
        tables.write_metrics(metrics_path / SCORES_FILE, scores, SCORES_COLUMNS)
        return scores

    def write_predictions(self, folder_path: Path) -> None:
        """Write predictions.csv, map.csv and the RAILS list of mistakes into a folder of their own.

        Raises Diverged where a probability is not finite.
        """
        table = tables.predictions(self.rows, self.classes, self.probabilities)
        false_inferences = mistakes.false_inferences(table, self.classes)
        with replacing_folder(folder_path) as folder:
            tables.PREDICTIONS_TABLE.write(folder, table)
            positions = embedding_map.table(self.rows, self.embeddings, self.seed)
            embedding_map.MAP_TABLE.write(folder, positions)
            write_json(folder / FALSE_INFERENCES_FILE, false_inferences)

    def write_tables(self, plots_path: Path) -> None:
        """Write the tables of classes, rankings, confusions, confidence, slices and corruptions."""
        coverage = selective_prediction.coverage(self.confidence, self.predicted == self.labels)
        sliced = slices.slices(self.rows, self.labels, self.predicted, self.classes, self.seed)
        ranked = ranking.table(self.probabilities, self.labels, self.groups, self.classes)
        matrix = metrics.confusion(self.labels, self.predicted, len(self.classes))
        written = (
            (metrics.SUMMARY_TABLE, self._summary(matrix)),
            (ranking.RANKING_TABLE, ranked),
            (metrics.CONFUSION_TABLE, metrics.confusion_table(matrix, self.classes)),
            (calibration.RELIABILITY_TABLE, self._reliability()),
            (selective_prediction.COVERAGE_TABLE, coverage),
            (slices.SLICES_TABLE, sliced),
            (robustness.CORRUPTIONS_TABLE, self.corruptions),
        )
        for file, table in written:
            file.write(plots_path, table)

    def _summary(self, matrix: np.ndarray) -> pd.DataFrame:
        spread = self.intervals
        table = metrics.per_class(matrix)
        return metrics.summary(table, self.classes, spread.f1, spread.overall["macro_f1"])

    def _reliability(self) -> pd.DataFrame:
        both = self.probabilities, self.calibrated
        return calibration.beside(*(calibration.reliability(each, self.labels) for each in both))

    def _embedding_check(self) -> dict[str, float]:
        if self.approximate is None:
            return {}
        return precision_check(
            self.labels,
            self.approximate,
            self.predicted,
            self.groups,
            len(self.classes),
            self.seed,
        )

    def _selective_prediction(self) -> dict[str, float | None]:
        temperature = self.temperature if self.use_temperature else None
        threshold = selective_prediction.threshold_of_fold(
            self.validation, temperature, self.wanted_precision
        )
        return selective_prediction.measured(
            threshold, self.confidence, self.labels, self.predicted, self.groups, self.seed
        )

    def _baseline_gain(self) -> dict[str, float]:
        return baselines.baseline_gain(
            self.labels,
            self.predicted,
            self.baselines,
            self.groups,
            len(self.classes),
            self.seed,
        )


def precision_check(
    labels: np.ndarray,
    approximate: np.ndarray,
    exact: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Share of equal predictions, and macro F1 of the approximate less that of the exact ones.

    labels, approximate, exact: int, shape (images,). The difference has a 95 % interval, see
    intervals.macro_f1_difference.
    """
    difference, low, high = intervals.macro_f1_difference(
        labels, (approximate, exact), groups, classes, seed
    )
    return {
        "embed_equal": float((approximate == exact).mean()),
        "embed_macro_f1_difference": difference,
        "embed_macro_f1_difference_low": low,
        "embed_macro_f1_difference_high": high,
    }


def summary(scores: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Macro F1 with its interval in a line, and another where that takes images for independent.

    scores: of evaluate.json; table: the index with all parts, column named_group.
    """
    low, high = scores.get("macro_f1_low"), scores.get("macro_f1_high")
    known = all(isinstance(end, float) and np.isfinite(end) for end in (low, high))
    between = f" (95 % interval {low:.4f} to {high:.4f})" if known else ""
    line = f"macro F1 {scores['macro_f1']:.4f}{between} on {scores['images']} test images"
    if not known or not table["named_group"].is_unique:
        return line
    return (
        f"{line}\nNo two images have a group in common (data.group): if several show one object, "
        "the interval is too narrow and the score may be too high."
    )
