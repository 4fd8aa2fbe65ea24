"""The table of predictions, read and written here alone, and choices from it."""

from collections import defaultdict
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from trackbed import inputs
from trackbed.outputs import write_csv
from trackbed.problems import Diverged, Problem

PREDICTIONS_FILE = "predictions.csv"  # of the test part, in the folder of the evaluation
VALIDATION_FILE = "validation.csv"  # of the validation fold, in the folder of the model

PREDICTIONS_TYPES = {
    "record": "int64",  # of the index
    "filename": "str",
    "group": "str",
    "true": "str",  # class name
    "predicted": "str",  # class name
    "confidence": "float64",  # probability of the predicted class, 0 to 1
}
# One column per class follows, in the order of the labels: the prefix and the class name.
PROBABILITY_PREFIX = "p_"
REMEDIES = {
    PREDICTIONS_FILE: "Run `dvc repro -f evaluate`.",
    VALIDATION_FILE: "Run `dvc repro -f train`.",
}


def read(folder: Path, file: str = PREDICTIONS_FILE) -> pd.DataFrame:
    """The predictions for the test part, or of VALIDATION_FILE, one row per image.

    Columns as in PREDICTIONS_TYPES, then the probability of every class in label order.
    Raises Problem for a missing file, other columns or a cell that is no number.
    """
    path = folder / file
    return parsed(path, f"{path}", REMEDIES[file])


def parsed(
    source: Path | TextIO, named: str, remedy: str = REMEDIES[PREDICTIONS_FILE]
) -> pd.DataFrame:
    """The same from a path or an open file, which messages call `named`."""
    types = defaultdict(lambda: "float64", PREDICTIONS_TYPES)
    # Without na_filter=False a class called NA would become NaN.
    table = inputs.table(source, remedy, dtype=types, na_filter=False)
    first, rest = _columns(table)
    if first != list(PREDICTIONS_TYPES) or not all(c.startswith(PROBABILITY_PREFIX) for c in rest):
        raise Problem(
            f"{named}: columns are {list(table.columns)}, expected {list(PREDICTIONS_TYPES)} "
            f"and one column {PROBABILITY_PREFIX}<class> per class. {remedy}"
        )
    return table


def write(folder: Path, table: pd.DataFrame, file: str = PREDICTIONS_FILE) -> None:
    """Write predictions.csv, or VALIDATION_FILE, into a folder.

    Nine significant digits: enough to give every float32 back exactly.
    """
    write_csv(folder / file, table, float_format="%.9g")


def classes(table: pd.DataFrame) -> list[str]:
    """The class names of a table of predictions, in the order of their labels."""
    return [column.removeprefix(PROBABILITY_PREFIX) for column in _columns(table)[1]]


def probabilities(table: pd.DataFrame) -> np.ndarray:
    """The probabilities in a table of predictions: float64, shape (images, classes)."""
    return table[_columns(table)[1]].to_numpy()


def answers(rows: pd.DataFrame, classes: list[str], probabilities: np.ndarray) -> pd.DataFrame:
    """The table of predictions for some rows of the index, columns as in `predictions`.

    probabilities: float, shape (rows, classes); of equal highest ones the first class counts.
    Raises Diverged where they are not finite.
    """
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        raise Diverged(
            f"the model's probabilities for {np.sum(~finite)} of {len(rows)} images, such as "
            f"{rows['filename'][~finite].iloc[0]}, are not finite; lower train.learning_rate."
        )
    names = np.array(classes, dtype=object)
    table = rows[["record", "filename", "group"]].reset_index(drop=True)
    table["true"] = names[rows["label"]]
    table["predicted"] = names[probabilities.argmax(axis=1)]
    table["confidence"] = probabilities.max(axis=1)
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in classes]
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)


def wrong(table: pd.DataFrame) -> pd.DataFrame:
    """The wrong predictions, the most confident first; ties in the order of records."""
    found = table[table["true"] != table["predicted"]]
    return found.sort_values(["confidence", "record"], ascending=[False, True])


def surest_mistakes(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` wrong predictions, the most confident first; ties in the order of records."""
    return wrong(table).head(most)


def spread(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` predictions, evenly spread over the test part ordered by class and record."""
    rank = table["true"].map({name: label for label, name in enumerate(classes(table))})
    ordered = table.assign(rank=rank).sort_values(["rank", "record"]).drop(columns="rank")
    shown = min(most, len(ordered))
    # The middle of each of `shown` equal stretches.
    places = ((np.arange(shown) + 0.5) * len(ordered) / max(shown, 1)).astype(int)
    return ordered.iloc[places]


def _columns(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    columns = list(table.columns)
    return columns[: len(PREDICTIONS_TYPES)], columns[len(PREDICTIONS_TYPES) :]
