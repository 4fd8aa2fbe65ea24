"""Read and write the tables and JSON files between stages, each with its schema."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import Damaged, Diverged, UserError
from trackbed.pipeline.outputs import write_csv, write_json


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


UNDEFINED = "undefined"  # in metrics files, for a score without a value
DETAILS = "details"  # in metrics files, the list that holds what DVC does not show


def write_metrics(path: Path, values: dict[str, Any], columns: Iterable[str] = ()) -> None:
    """Write scores by name as JSON; None and numbers that are not finite become UNDEFINED.

    columns: what DVC shows, in this order; the rest goes into the one object of the list DETAILS.
    DVC (3.67) leaves out null and lists, and shows text; NaN is no JSON. A file of its own with
    `cache: false`, but no metric, would switch off the run cache of the stage.
    Raises TypeError for a list, KeyError for a column without a value.
    """
    marked = _marked(values)
    shown = {name: marked.pop(name) for name in columns}
    write_json(path, shown | ({DETAILS: [marked]} if marked else {}))


def metrics(path: Path, remedy: str) -> dict[str, Any]:
    """Columns and details of a metrics file by name; an undefined one is None. Raises UserError."""
    return _unmarked(_joined(json_object(path, remedy)))


def parsed_metrics(content: bytes | None) -> dict[str, Any]:
    """Like `metrics`, of the bytes of a file; {} where they are None or no JSON object."""
    try:
        values = json.loads(content or b"{}")
    except ValueError:
        return {}
    return _unmarked(_joined(values)) if isinstance(values, dict) else {}


def _joined(values: dict[str, Any]) -> dict[str, Any]:
    match values.get(DETAILS):
        case [dict(details)]:
            return {name: value for name, value in values.items() if name != DETAILS} | details
    return values


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        raise TypeError(f"a metric must be a single value, got {value!r}")
    missing = value is None or (isinstance(value, float) and not math.isfinite(value))
    return UNDEFINED if missing else value


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmarked(inner) for key, inner in value.items()}
    missing = value == UNDEFINED or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value


def read_csv(path: Path, remedy: str, **options: Any) -> pd.DataFrame:
    """A UTF-8 table of another tool, read with these options of pandas.read_csv.

    For tables of this pipeline see TableFile. Raises UserError.
    """
    try:
        return pd.read_csv(path, encoding="utf-8", **options).copy()  # see TableFile._parsed
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. {remedy}") from None
    except ValueError as error:  # of pandas' parser, too, and of text that is not UTF-8
        raise UserError(f"{path}: broken ({error}). {remedy}") from error


@dataclass(frozen=True)
class TableFile:
    """A CSV file that one stage writes and others read: name, columns, and the remedy for a fault.

    columns: 'str', 'int64', 'float64' or 'bool' by column name, in the order of the file.
    further: the dtype of the columns that may follow, whose names begin with `prefix`; '' if none
    may. empty_is_nan: whether a float64 cell may be empty, which is read as NaN; all other text is
    read as it stands, since a class may be called NA. float_format: as in pandas' to_csv.
    """

    name: str
    columns: dict[str, str]
    remedy: str
    further: str = ""
    prefix: str = ""
    empty_is_nan: bool = False
    float_format: str | None = None

    def read(self, folder: Path) -> pd.DataFrame:
        """The table in a folder.

        Raises UserError for a missing file, Damaged for other columns or a cell of another dtype.
        """
        path = folder / self.name
        try:
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read()
        except FileNotFoundError:
            raise UserError(f"{path}: no such file. {self.remedy}") from None
        except UnicodeDecodeError as error:
            raise self._broken(str(path), error) from None
        return self.parse(text, str(path))

    def parse(self, text: str, where: str) -> pd.DataFrame:
        """The table in the text of a file, which messages call `where`. Raises Damaged."""
        lines = io.StringIO(text, newline="")
        try:
            header = next(csv.reader(lines), [])
            if header:
                self._refuse_columns(header, where)
            lines.seek(0)
            return self._parsed(lines, len(header)).set_axis(header, axis=1)
        except (ValueError, csv.Error) as error:  # of pandas' parser, too
            raise self._broken(where, error) from error

    def write(self, folder: Path, table: pd.DataFrame) -> None:
        """Write the table into a folder. Without `further`, other columns are left out.

        Raises UserError for text that a spreadsheet would run as a formula.
        """
        chosen = table if self.further else table[list(self.columns)]
        write_csv(folder / self.name, chosen, self.float_format)

    def rows(self, values: list[Any]) -> pd.DataFrame:
        """A table of these columns and dtypes; values: its rows, mappings or sequences."""
        return pd.DataFrame(values, columns=list(self.columns)).astype(self.columns)

    def _parsed(self, lines: io.StringIO, width: int) -> pd.DataFrame:
        # By place: a name may occur twice, such as that of a class called 'true'.
        dtypes = [*self.columns.values(), *[self.further] * (width - len(self.columns))]
        table = pd.read_csv(
            lines,
            header=0,
            names=list(range(width)),
            dtype=dict(enumerate(dtypes)),
            keep_default_na=False,
            na_filter=self.empty_is_nan,
            na_values={n: [""] for n, dtype in enumerate(dtypes) if dtype == "float64"},
        )
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("rows have more cells than the header")
        # pandas 3.1 keeps every column that it read apart, and warns of that with a thousand of
        # them when a column is added; a copy joins them.
        return table.copy()

    def _refuse_columns(self, header: list[str], where: str) -> None:
        fixed, rest = header[: len(self.columns)], header[len(self.columns) :]
        follows = self.further and all(name.startswith(self.prefix) for name in rest)
        if fixed != list(self.columns) or (rest and not follows):
            more = f" and any number of {self.prefix}<class>" if self.further else ""
            raise Damaged(
                f"{where}: columns are {header}, expected {list(self.columns)}{more}. {self.remedy}"
            )

    def _broken(self, where: str, error: Exception) -> Damaged:
        return Damaged(f"{where}: broken ({error}). {self.remedy}")


EVALUATION_REMEDY = "Run `dvc repro -f evaluate`."
EVALUATION = "evaluation"  # folder in the data folder
# One column per class follows in the tables of predictions, in the order of the labels: the prefix
# and the class name.
PROBABILITY_PREFIX = "p_"
PREDICTION_COLUMNS = {
    "record": "int64",  # of the index
    "filename": "str",
    "group": "str",
    "true": "str",  # class name
    "predicted": "str",  # class name
    "confidence": "float64",  # probability of the predicted class, 0 to 1
}


def _predictions_file(name: str, remedy: str) -> TableFile:
    return TableFile(
        name,
        PREDICTION_COLUMNS,
        remedy,
        further="float64",
        prefix=PROBABILITY_PREFIX,
        float_format="%.9g",  # significant digits: enough to give every float32 back exactly
    )


# Of the test part, in the folder of the evaluation; of the validation fold, in that of the model.
PREDICTIONS_TABLE = _predictions_file("predictions.csv", EVALUATION_REMEDY)
VALIDATION_TABLE = _predictions_file("validation.csv", "Run `dvc repro -f train`.")


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
    """The table of predictions for some rows of the index, columns as in PREDICTIONS_TABLE.

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
    return columns[: len(PREDICTION_COLUMNS)], columns[len(PREDICTION_COLUMNS) :]
