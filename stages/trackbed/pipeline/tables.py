"""Read and write the tables and JSON files between stages, each with its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


from collections import defaultdict

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import Diverged
from trackbed.pipeline.outputs import write_csv


def json_object(path: Path, remedy: str) -> dict[str, Any]:
    """A JSON file that holds an object. Raises UserError."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. {remedy}") from None
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}). {remedy}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must hold an object, holds {type(values).__name__}. {remedy}")
    return values


def read_csv(path: Path | TextIO, remedy: str, **options: Any) -> pd.DataFrame:
    """A UTF-8 table in a file or an open one, read with these options of pandas.read_csv.

    Raises UserError.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, encoding="utf-8", **options)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. {remedy}") from None
    except ValueError as error:  # of pandas' parser, too, and of text that is not UTF-8
        raise UserError(f"{path}: broken ({error}). {remedy}") from error


EVALUATION_REMEDY = "Run `dvc repro -f evaluate`."


def read(path: Path, types: dict[str, str]) -> pd.DataFrame:
    """A table of exactly these columns and types; an empty float64 cell is NaN. Raises UserError.

    Only there: a class or a group may be called NA.
    """
    empty = {name: [""] for name, kind in types.items() if kind == "float64"}
    found = read_csv(path, EVALUATION_REMEDY, dtype=types, keep_default_na=False, na_values=empty)
    if list(found.columns) != list(types):
        raise UserError(
            f"{path}: columns are {list(found.columns)}, expected {list(types)}. "
            f"{EVALUATION_REMEDY}"
        )
    return found


EVALUATION = "evaluation"  # folder in the data folder
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
PREDICTIONS_REMEDIES = {
    PREDICTIONS_FILE: "Run `dvc repro -f evaluate`.",
    VALIDATION_FILE: "Run `dvc repro -f train`.",
}


def read_predictions(folder: Path, file: str = PREDICTIONS_FILE) -> pd.DataFrame:
    """The predictions for the test part, or of VALIDATION_FILE, one row per image.

    Columns as in PREDICTIONS_TYPES, then the probability of every class in label order.
    Raises UserError for a missing file, other columns or a cell that is no number.
    """
    path = folder / file
    return parsed_predictions(path, f"{path}", PREDICTIONS_REMEDIES[file])


def parsed_predictions(
    source: Path | TextIO, named: str, remedy: str = PREDICTIONS_REMEDIES[PREDICTIONS_FILE]
) -> pd.DataFrame:
    """The same from a path or an open file, which messages call `named`."""
    types = defaultdict(lambda: "float64", PREDICTIONS_TYPES)
    # Without na_filter=False a class called NA would become NaN.
    table = read_csv(source, remedy, dtype=types, na_filter=False)
    first, rest = _prediction_columns(table)
    if first != list(PREDICTIONS_TYPES) or not all(c.startswith(PROBABILITY_PREFIX) for c in rest):
        raise UserError(
            f"{named}: columns are {list(table.columns)}, expected {list(PREDICTIONS_TYPES)} "
            f"and one column {PROBABILITY_PREFIX}<class> per class. {remedy}"
        )
    return table


def write_predictions(folder: Path, table: pd.DataFrame, file: str = PREDICTIONS_FILE) -> None:
    """Write predictions.csv, or VALIDATION_FILE, into a folder.

    Nine significant digits: enough to give every float32 back exactly.
    """
    write_csv(folder / file, table, float_format="%.9g")


def predicted_classes(table: pd.DataFrame) -> list[str]:
    """The class names of a table of predictions, in the order of their labels."""
    return [column.removeprefix(PROBABILITY_PREFIX) for column in _prediction_columns(table)[1]]


def probabilities(table: pd.DataFrame) -> np.ndarray:
    """The probabilities in a table of predictions: float64, shape (images, classes)."""
    return table[_prediction_columns(table)[1]].to_numpy()


def labels(table: pd.DataFrame) -> np.ndarray:
    """The true classes of a table of predictions as numbers: int64, shape (images,)."""
    names = pd.Index(predicted_classes(table))
    return names.get_indexer(table["true"])


def predictions(rows: pd.DataFrame, classes: list[str], probabilities: np.ndarray) -> pd.DataFrame:
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


def _prediction_columns(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    columns = list(table.columns)
    return columns[: len(PREDICTIONS_TYPES)], columns[len(PREDICTIONS_TYPES) :]
