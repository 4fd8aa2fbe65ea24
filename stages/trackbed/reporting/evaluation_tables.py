"""What the evaluation wrote: scores, per-class table, confusions; and the rows of their tables."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import (
    calibration,
    embedding_map,
    ranking,
    result,
    robustness,
    selective_prediction,
    slices,
)
from trackbed.evaluation import scores as definitions
from trackbed.evaluation.metrics import CONFUSION_TABLE, SUMMARY_TABLE, confusion_counts
from trackbed.evaluation.mistakes import wrong
from trackbed.explanation.evidence_cards import EvidenceCard
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.tables import EVALUATION_REMEDY
from trackbed.reporting import formatting
from trackbed.reporting.previous_runs import Previous

AVERAGES = ["macro avg", "weighted avg"]
SAME_WITH_ALL_CLASSES = "macro_f1_scikit_learn"  # then equal to macro_f1
UNCHANGED = 0.0005  # a smaller change is written as +0.000, whatever its sign


@dataclass(frozen=True)
class Evaluation:
    """What the evaluation wrote.

    scores: flat, a value may be None. classes: indexed by class name in label order, columns
    as in SUMMARY_TABLE, NaN where undefined. averages: the same columns, rows AVERAGES.
    ranking: areas under the curves of every class, indexed likewise; the means are its last row.
    confusion: counts of images, rows the true and columns the predicted class, in label order.
    predictions: one row per test image. The others: columns as in the tables of their modules.
    """

    scores: dict[str, Any]
    classes: pd.DataFrame
    averages: pd.DataFrame
    ranking: pd.DataFrame
    confusion: pd.DataFrame
    predictions: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    slices: pd.DataFrame
    corruptions: pd.DataFrame
    positions: pd.DataFrame

    @property
    def images(self) -> int:
        """Images of the test part."""
        return int(self.confusion.to_numpy().sum())

    @property
    def mistakes(self) -> int:
        """Test images that are classified wrong."""
        return self.images - int(np.trace(self.confusion.to_numpy()))


def read(data_path: Path, metrics_path: Path, plots_path: Path) -> Evaluation:
    """Read the predictions, the scores and the tables of an evaluation.

    Raises UserError for a file that is missing or broken and for files of different classes.
    """
    summary_path, confusion_path = (
        plots_path / table.name for table in (SUMMARY_TABLE, CONFUSION_TABLE)
    )
    summary = SUMMARY_TABLE.read(plots_path).set_index("class_name")
    _refuse_without_averages(summary_path, summary)
    try:
        confusion = confusion_counts(CONFUSION_TABLE.read(plots_path))
    except ValueError as error:
        raise UserError(f"{confusion_path}: broken ({error}). {EVALUATION_REMEDY}") from error
    classes, averages = summary.iloc[: -len(AVERAGES)], summary.iloc[-len(AVERAGES) :]
    if list(classes.index) != list(confusion.index):
        raise UserError(
            f"{summary_path} lists {len(classes)} classes, {confusion_path} {len(confusion)}; they "
            f"must be the same classes in the same order. {EVALUATION_REMEDY}"
        )
    return Evaluation(
        scores=tables.metrics(metrics_path / result.SCORES_FILE, EVALUATION_REMEDY),
        classes=classes,
        averages=averages,
        ranking=ranking.RANKING_TABLE.read(plots_path).set_index("class_name"),
        confusion=confusion,
        predictions=tables.PREDICTIONS_TABLE.read(data_path / tables.EVALUATION),
        reliability=calibration.RELIABILITY_TABLE.read(plots_path),
        coverage=selective_prediction.COVERAGE_TABLE.read(plots_path),
        slices=slices.SLICES_TABLE.read(plots_path),
        positions=embedding_map.MAP_TABLE.read(data_path / tables.EVALUATION),
        corruptions=robustness.CORRUPTIONS_TABLE.read(plots_path),
    )


def _refuse_without_averages(path: Path, summary: pd.DataFrame) -> None:
    # By position: a class, too, may be called 'macro avg'.
    last = list(summary.index[-len(AVERAGES) :])
    if last != AVERAGES:
        raise UserError(
            f"{path}: the last two rows are {last}, expected {AVERAGES}. {EVALUATION_REMEDY}"
        )


@dataclass(frozen=True)
class Extremes:
    """The classes of the highest and of the lowest F1, several where they tie, in label order."""

    best: list[str]
    best_f1: float
    weakest: list[str]
    weakest_f1: float


@dataclass(frozen=True)
class Confusion:
    """`images` of the `support` test images of the true class were taken for another."""

    true: str
    predicted: str
    images: int
    support: int


def extremes(classes: pd.DataFrame) -> Extremes | None:
    """Best and weakest class by F1, or None where no class has one.

    classes: column `f1`, indexed by class name; NaN (no test images) takes no part.
    """
    f1 = classes["f1"].dropna()
    if f1.empty:
        return None
    best, weakest = f1.max(), f1.min()
    return Extremes(f1.index[f1 == best].tolist(), best, f1.index[f1 == weakest].tolist(), weakest)


def confusions(matrix: pd.DataFrame, most: int) -> list[Confusion]:
    """The most frequent pairs of true and other predicted class; ties in label order.

    matrix: counts, rows the true and columns the predicted class.
    """
    values = matrix.to_numpy()
    support = values.sum(axis=1)
    off = np.where(np.eye(len(values), dtype=bool), 0, values)
    order = np.argsort(-off, axis=None, kind="stable")[:most]
    return [
        Confusion(
            matrix.index[true], matrix.columns[other], int(off[true, other]), int(support[true])
        )
        for true, other in zip(*np.unravel_index(order, off.shape), strict=True)
        if off[true, other] > 0
    ]


PAIRS, EXAMPLES = 8, 4
LISTED_CONFUSIONS = 10


@dataclass(frozen=True)
class Pair:
    """A confusion, the anchor of its pictures in the page, and the surest of them."""

    confusion: Confusion
    anchor: str
    cards: list[EvidenceCard]


def pictured_pairs(
    confusions: list[Confusion],
    predictions: pd.DataFrame,
    cards: Callable[[pd.DataFrame], list[EvidenceCard]],
) -> list[Pair]:
    """The first PAIRS confusions with EXAMPLES pictures each; cards: of some predictions."""
    mistakes = wrong(predictions)
    chosen = [
        mistakes[(mistakes["true"] == one.true) & (mistakes["predicted"] == one.predicted)].head(
            EXAMPLES
        )
        for one in confusions[:PAIRS]
    ]
    made = iter(cards(pd.concat([predictions.head(0), *chosen])))
    return [
        Pair(
            confusion,
            pair_anchor(place),
            list(itertools.islice(made, len(rows))),
        )
        for place, (confusion, rows) in enumerate(zip(confusions, chosen, strict=False))
    ]


def pair_anchor(place: int) -> str:
    """The anchor of the pictures of the confusion at a place from 0, or that of the table."""
    return f"pair-{place + 1}" if place < PAIRS else "confusions"


@dataclass(frozen=True)
class ScoreRow:
    """A row of the table as text; '' where there is no interval, reason or change."""

    label: str
    value: str
    interval: str
    meaning: str
    reason: str  # why there is no value
    change: str  # against the last committed run


def score_rows(values: dict[str, Any], previous: Previous | None = None) -> list[ScoreRow]:
    """The scores of evaluate.json that have a row, in the order of evaluation.scores.SCORES.

    A missing value is 'n/a' with the reason. Keys without a definition have no row: a file of
    another version may have some. scikit-learn's macro F1 has one where it can be another value.
    """
    if not values.get("classes_without_images"):
        values = {key: value for key, value in values.items() if key != SAME_WITH_ALL_CLASSES}
    known = {
        key: value
        for key, value in values.items()
        if not definitions.is_bound(key) and (score := definitions.find(key)) and score.label
    }
    return [_score_row(values, key, previous) for key in definitions.ordered(known)]


def score_tables(
    values: dict[str, Any], previous: Previous | None = None
) -> list[tuple[str, list[ScoreRow]]]:
    """`score_rows` in two tables with captions: of the answers, and of their probabilities."""
    rows, first = score_rows(values, previous), definitions.find("loss").label
    answers = list(itertools.takewhile(lambda row: row.label != first, rows))
    others = rows[len(answers) :]
    parts = [("Right and wrong answers", answers), ("Probabilities, refusal, baselines", others)]
    return [(caption, part) for caption, part in parts if part]


def _score_row(values: dict[str, Any], key: str, previous: Previous | None) -> ScoreRow:
    score = definitions.find(key)
    text, reason = formatting.share(values[key]), ""
    if text == formatting.NOT_AVAILABLE:
        reason = score.missing if values.get("images") else "no test images"
    change = previous.difference(values, key) if previous else None
    moved = "" if change is None else formatting.signed(change if abs(change) >= UNCHANGED else 0)
    between = formatting.interval(values, key)
    return ScoreRow(score.label, text, between, score.meaning, reason, moved)
