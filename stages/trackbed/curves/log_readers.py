"""Read the training logs of Keras, DVCLive, Ultralytics and Lightning, recognised by content."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.curves import columns, log_folders
from trackbed.curves.history import History
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

EPOCHS = ("epoch", "epochs", "step", "unnamed: 0", "")
CLASSES = {"class", "class_name", "label"}


def keras_from_table(path: Path, raw: pd.DataFrame) -> History:
    """A table with one row per epoch: Keras' CSVLogger and whatever looks like it.

    Raises UserError if nothing says what its rows are, or if it has neither loss nor score.
    """
    names = {str(name).lower(): name for name in raw.columns}
    epoch = next((names[name] for name in EPOCHS if name in names), None)
    if epoch is None and CLASSES & names.keys():
        raise columns.refuse(str(path), "one row per class; give it with --classes")
    values, notes = columns.numeric(raw.drop(columns=[epoch] if epoch is not None else []))
    known = columns.known(values.columns)
    if epoch is None and not any(column.role == "loss" for column in known):
        raise columns.refuse(str(path), f"no column 'epoch', and none of losses in {list(names)}")
    if not any(column.role in ("loss", "metric") for column in known):
        raise columns.refuse(str(path), f"no loss and no score in {list(names)}")
    epochs = raw[epoch] if epoch is not None else pd.Series(range(1, len(raw) + 1))
    table, more = columns.by_epoch(str(path), values, epochs)
    seconds, timed = _seconds(table, known)
    return History(str(path), "table by epoch", table, known, seconds, {}, notes + more + timed)


def keras_from_json(path: Path) -> History:
    """`history.history` as JSON, an object of lists as long as one another. Raises UserError."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise columns.refuse(str(path), f"not valid JSON: {error}") from None
    if isinstance(values, dict) and isinstance(values.get("history"), dict):
        values = values["history"]
    if not isinstance(values, dict) or not values:
        raise columns.refuse(str(path), "must hold an object of lists")
    lists = {name: cells for name, cells in values.items() if isinstance(cells, list)}
    lengths = {name: len(cells) for name, cells in lists.items()}
    if not lists or len(set(lengths.values())) > 1:
        raise columns.refuse(str(path), f"must hold lists as long as one another, holds {lengths}")
    history = keras_from_table(path, pd.DataFrame(lists))
    return History(**(vars(history) | {"kind": "Keras history"}))


def _seconds(
    table: pd.DataFrame, known: tuple[columns.Column, ...]
) -> tuple[pd.Series | None, tuple[str, ...]]:
    """Seconds of each epoch; a column `time` that only grows holds those since the start."""
    for column in known:
        if column.role == "seconds":
            values = table[column.name]
            if column.name.lower() == "time" and len(values) > 2 and values.diff()[1:].gt(0).all():
                first = table.index[0] == 1
                steps = values.diff().fillna({1: values.iloc[0]} if first else {})
                return steps, (
                    "Column `time` grows throughout: taken for seconds since the start.",
                )
            return values, ()
    return None, ()


def is_lightning(names: list[str]) -> bool:
    """Whether these are headers of a metrics.csv."""
    return "epoch" in names and "step" in names


def read_lightning(path: Path, raw: pd.DataFrame) -> History:
    """A metrics.csv: several rows an epoch, each with some of the columns. Raises UserError.

    Losses and scores are averaged over the rows of an epoch, of the rest the last row counts.
    LearningRateMonitor's rows have no epoch: they belong to that of the row that follows.
    """
    values, notes = columns.numeric(raw)
    epochs = values["epoch"].bfill().ffill()
    if epochs.isna().all():
        raise columns.refuse(str(path), "the column `epoch` is empty")
    names = values.columns.drop(["epoch", "step"])
    known = columns.known(names)
    scored = [column.name for column in known if column.role in ("loss", "metric")]
    rows = values[names].groupby(epochs)
    table = rows.last()
    table[scored] = rows[scored].mean()
    if not any(column.role in ("loss", "metric") for column in known):
        raise columns.refuse(str(path), f"no loss and no score in {list(names)}")
    table, more = columns.by_epoch(str(path), table.reset_index(drop=True), pd.Series(table.index))
    seconds = next((table[column.name] for column in known if column.role == "seconds"), None)
    return History(str(path), "PyTorch Lightning", table, known, seconds, {}, notes + more)


# What its early stopping and `best.pt` go by, `fitness` in ultralytics/utils/metrics.py: mAP50-95
# (0.9 of it and 0.1 of mAP50 in older versions); for classification the top accuracies.
MONITORED = ("map50-95", "map_0.5:0.95", "accuracy_top1")


def is_ultralytics(names: list[str]) -> bool:
    """Whether these are headers of a results.csv."""
    known = any(name.startswith(("metrics/", "lr/pg", "x/lr")) for name in names)
    return "epoch" in names and known


def read_ultralytics(path: Path, raw: pd.DataFrame) -> History:
    """A results.csv. Raises UserError."""
    values, notes = columns.numeric(raw.drop(columns="epoch"))
    table, more = columns.by_epoch(str(path), values, raw["epoch"])
    known = columns.known(table.columns)
    monitor = next(
        (column.name for key in MONITORED for column in known if key in column.name.lower()), None
    )
    facts = {"monitor": monitor} if monitor else {}
    seconds = _seconds_of_ultralytics(table["time"]) if "time" in table else None
    return History(str(path), "Ultralytics", table, known, seconds, facts, notes + more)


def _seconds_of_ultralytics(since_start: pd.Series) -> pd.Series:
    """Seconds of each epoch from the cumulative `time`, whose clock starts anew with a resume."""
    steps = since_start.diff()
    steps = steps.where(~(steps < 0), since_start)
    if since_start.index[0] == 1:
        steps.iloc[0] = since_start.iloc[0]
    return steps


IN_FOLDERS = ("results.csv", "metrics.csv", "history.json", "history.csv", "training.csv")


def read(path: Path) -> History:
    """The history in a file or folder. Raises UserError for what is missing, broken or none.

    A folder is one of DVCLive, or holds one of the files IN_FOLDERS.
    """
    if path.is_dir():
        return _folder(path)
    try:
        with path.open(encoding="utf-8") as file:
            head = file.readline()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise columns.refuse(str(path), f"not readable as text: {error}") from None
    if head.lstrip("\ufeff").lstrip().startswith(("{", "[")):
        return keras_from_json(path)
    return _table(path, head)


def _folder(path: Path) -> History:
    if log_folders.dvclive_table(path):
        return log_folders.read_dvclive(path)
    files = [path / name for name in IN_FOLDERS if (path / name).is_file()]
    if len(files) == 1:
        return read(files[0])
    there = ", ".join(file.name for file in files) or f"none of {', '.join(IN_FOLDERS)}"
    raise columns.refuse(str(path), f"a folder without plots/metrics/**/*.tsv and with {there}")


def _table(path: Path, head: str) -> History:
    separator = max(",;\t", key=head.count)
    raw = tables.read_csv(path, columns.EXPECTED, sep=separator, skipinitialspace=True)
    table = columns.cleaned(raw)
    if table.empty:
        raise columns.refuse(str(path), "no row of values")
    names: list[str] = list(table.columns)
    if len(set(names)) < len(names):
        raise columns.refuse(str(path), "two columns of one name")
    if is_ultralytics(names):
        return read_ultralytics(path, table)
    if is_lightning(names):
        return read_lightning(path, table)
    return keras_from_table(path, pd.DataFrame(table))
