"""What the evaluation found: scores, per-class table and confusion matrix, as read from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from trackbed import inputs
from trackbed.problems import Problem

AVERAGES = ["macro avg", "weighted avg"]
MEASURES = ["precision", "recall", "specificity", "f1", "accuracy", "type_1_error", "type_2_error"]
BOUNDS = ["f1_low", "f1_high"]  # 95 % interval of F1
COUNTS = ["support", "true_positive", "false_positive", "false_negative", "true_negative"]
BIN = ["images", "right", "confidence", "accuracy"]
COVERAGE = ["threshold", "coverage", "accuracy"]
RELIABILITY = ["low", "high", *BIN, *(f"calibrated_{name}" for name in BIN)]
REMEDY = "Run `dvc repro -f evaluate`."


@dataclass(frozen=True)
class Results:
    """scores: flat, a value may be None. classes: indexed by class name in label order, columns
    MEASURES, BOUNDS and COUNTS, NaN where undefined. averages: the same columns, rows AVERAGES.
    confusion: counts of images, rows the true and columns the predicted class, in label order.
    """

    scores: dict[str, Any]
    classes: pd.DataFrame
    averages: pd.DataFrame
    confusion: pd.DataFrame


def read(scores_path: Path, summary_path: Path, confusion_path: Path) -> Results:
    """Read evaluate.json, evaluation_summary.csv and confusion_matrix.csv.

    Raises Problem for a file that is missing or broken and for files of different classes.
    """
    summary = _summary(summary_path)
    confusion = _confusion(confusion_path)
    classes, averages = summary.iloc[: -len(AVERAGES)], summary.iloc[-len(AVERAGES) :]
    if not (list(classes.index) == list(confusion.index) == list(confusion.columns)):
        raise Problem(
            f"{summary_path} lists {len(classes)} classes, {confusion_path} {len(confusion)} rows "
            f"and {len(confusion.columns)} columns; they must be the same classes in the same "
            f"order. {REMEDY}"
        )
    return Results(inputs.json_object(scores_path, REMEDY), classes, averages, confusion)


def reliability(path: Path) -> pd.DataFrame:
    """Read reliability.csv, see judging.calibration.beside. Raises Problem."""
    return _all_numbers(path, RELIABILITY)


def coverage(path: Path) -> pd.DataFrame:
    """Read coverage.csv, see judging.refusal.coverage. Raises Problem."""
    return _all_numbers(path, COVERAGE)


def _all_numbers(path: Path, columns: list[str]) -> pd.DataFrame:
    table = inputs.table(path, REMEDY)
    if list(table.columns) != columns or not all(map(is_numeric_dtype, table.dtypes)):
        raise Problem(
            f"{path}: columns are {list(table.columns)}, expected {columns}, all numbers. {REMEDY}"
        )
    return table


def _summary(path: Path) -> pd.DataFrame:
    table = _text(path)
    columns = ["class_name", *MEASURES, *BOUNDS, *COUNTS]
    if table.iloc[0].tolist() != columns:
        raise Problem(f"{path}: columns are {table.iloc[0].tolist()}, expected {columns}. {REMEDY}")
    names = table.iloc[1:, 0].tolist()
    # By position: a class, too, may be called 'macro avg'.
    if names[-len(AVERAGES) :] != AVERAGES:
        raise Problem(f"{path}: the last two rows are {names[-2:]}, expected {AVERAGES}. {REMEDY}")
    return _numbers(path, table, columns[1:], names)


def _confusion(path: Path) -> pd.DataFrame:
    table = _text(path)
    return _numbers(path, table, table.iloc[0, 1:].tolist(), table.iloc[1:, 0].tolist())


def _text(path: Path) -> pd.DataFrame:
    """All cells as text, the header as first row: pandas would rename repeated column names."""
    return inputs.table(path, REMEDY, header=None, dtype=str, na_filter=False)


def _numbers(path: Path, table: pd.DataFrame, columns: list[str], rows: list[str]) -> pd.DataFrame:
    try:
        body = table.iloc[1:, 1:].apply(pd.to_numeric)  # an empty cell becomes NaN
    except ValueError as error:
        raise Problem(f"{path}: broken ({error}). {REMEDY}") from error
    return body.set_axis(columns, axis=1).set_axis(rows, axis=0)
