"""Scores, per-class table and confusions as the evaluation wrote them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from trackbed.evaluation import result, robustness, slices
from trackbed.evaluation.predictions import wrong
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.reporting import html
from trackbed.reporting.html import Card

AVERAGES = ["macro avg", "weighted avg"]
MEASURES = ["precision", "recall", "specificity", "f1", "accuracy", "type_1_error", "type_2_error"]
BOUNDS = ["f1_low", "f1_high"]  # 95 % interval of F1
COUNTS = ["support", "true_positive", "false_positive", "false_negative", "true_negative"]
BIN = ["images", "right", "confidence", "accuracy"]
COVERAGE = ["threshold", "coverage", "accuracy"]
RELIABILITY = ["low", "high", *BIN, *(f"calibrated_{name}" for name in BIN)]
REMEDY = "Run `dvc repro -f evaluate`."


@dataclass(frozen=True)
class Evaluation:
    """What the evaluation wrote.

    scores: flat, a value may be None. classes: indexed by class name in label order, columns
    MEASURES, BOUNDS and COUNTS, NaN where undefined. averages: the same columns, rows AVERAGES.
    confusion: counts of images, rows the true and columns the predicted class, in label order.
    predictions: one row per test image. reliability: columns RELIABILITY; coverage: columns
    COVERAGE; slices and corruptions: columns as in the TYPES of their modules.
    """

    scores: dict[str, Any]
    classes: pd.DataFrame
    averages: pd.DataFrame
    confusion: pd.DataFrame
    predictions: pd.DataFrame
    reliability: pd.DataFrame
    coverage: pd.DataFrame
    slices: pd.DataFrame
    corruptions: pd.DataFrame

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
        plots_path / name for name in (result.SUMMARY_FILE, result.CONFUSION_FILE)
    )
    summary = _summary(summary_path)
    confusion = _confusion(confusion_path)
    classes, averages = summary.iloc[: -len(AVERAGES)], summary.iloc[-len(AVERAGES) :]
    if not (list(classes.index) == list(confusion.index) == list(confusion.columns)):
        raise UserError(
            f"{summary_path} lists {len(classes)} classes, {confusion_path} {len(confusion)} rows "
            f"and {len(confusion.columns)} columns; they must be the same classes in the same "
            f"order. {REMEDY}"
        )
    return Evaluation(
        scores=tables.json_object(metrics_path / result.SCORES_FILE, REMEDY),
        classes=classes,
        averages=averages,
        confusion=confusion,
        predictions=tables.read_predictions(data_path / tables.EVALUATION),
        reliability=_all_numbers(plots_path / result.RELIABILITY_FILE, RELIABILITY),
        coverage=_all_numbers(plots_path / result.COVERAGE_FILE, COVERAGE),
        slices=slices.read(plots_path / result.SLICES_FILE),
        corruptions=robustness.read(plots_path / result.CORRUPTIONS_FILE),
    )


def _all_numbers(path: Path, columns: list[str]) -> pd.DataFrame:
    table = tables.read_csv(path, REMEDY)
    if list(table.columns) != columns or not all(map(is_numeric_dtype, table.dtypes)):
        raise UserError(
            f"{path}: columns are {list(table.columns)}, expected {columns}, all numbers. {REMEDY}"
        )
    return table


def _summary(path: Path) -> pd.DataFrame:
    table = _text(path)
    columns = ["class_name", *MEASURES, *BOUNDS, *COUNTS]
    if table.iloc[0].tolist() != columns:
        raise UserError(
            f"{path}: columns are {table.iloc[0].tolist()}, expected {columns}. {REMEDY}"
        )
    names = table.iloc[1:, 0].tolist()
    # By position: a class, too, may be called 'macro avg'.
    if names[-len(AVERAGES) :] != AVERAGES:
        raise UserError(
            f"{path}: the last two rows are {names[-2:]}, expected {AVERAGES}. {REMEDY}"
        )
    return _numbers(path, table, columns[1:], names)


def _confusion(path: Path) -> pd.DataFrame:
    table = _text(path)
    return _numbers(path, table, table.iloc[0, 1:].tolist(), table.iloc[1:, 0].tolist())


def _text(path: Path) -> pd.DataFrame:
    """All cells as text, the header as first row: pandas would rename repeated column names."""
    return tables.read_csv(path, REMEDY, header=None, dtype=str, na_filter=False)


def _numbers(path: Path, table: pd.DataFrame, columns: list[str], rows: list[str]) -> pd.DataFrame:
    try:
        body = table.iloc[1:, 1:].apply(pd.to_numeric)  # an empty cell becomes NaN
    except ValueError as error:
        raise UserError(f"{path}: broken ({error}). {REMEDY}") from error
    return body.set_axis(columns, axis=1).set_axis(rows, axis=0)


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
SIDE = 120  # pixels
LISTED_CONFUSIONS = 10


@dataclass(frozen=True)
class Pair:
    """A confusion, the anchor of its pictures in the page, and the surest of them."""

    confusion: Confusion
    anchor: str
    cards: list[Card]


def pictured_pairs(
    confusions: list[Confusion], predictions: pd.DataFrame, records_path: Path, index: pd.DataFrame
) -> list[Pair]:
    """The first PAIRS confusions with EXAMPLES pictures each. Raises UserError as html.cards."""
    mistakes = wrong(predictions)
    chosen = [
        mistakes[(mistakes["true"] == one.true) & (mistakes["predicted"] == one.predicted)]
        for one in confusions[:PAIRS]
    ]
    return [
        Pair(
            confusion,
            pair_anchor(place),
            html.cards(records_path, index, rows.head(EXAMPLES), SIDE),
        )
        for place, (confusion, rows) in enumerate(zip(confusions, chosen, strict=False))
    ]


def pair_anchor(place: int) -> str:
    """The anchor of the pictures of the confusion at a place from 0, or that of the table."""
    return f"pair-{place + 1}" if place < PAIRS else "confusions"
