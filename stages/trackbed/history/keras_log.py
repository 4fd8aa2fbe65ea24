"""Histories that Keras wrote: CSVLogger, and `history.history` as JSON or CSV."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.history import columns, tables
from trackbed.history.history import History

EPOCHS = ("epoch", "epochs", "step", "unnamed: 0", "")
CLASSES = {"class", "class_name", "label"}


def from_table(path: Path, raw: pd.DataFrame) -> History:
    """A table with one row per epoch: Keras' CSVLogger and whatever looks like it.

    Raises Problem if nothing says what its rows are, or if it has neither loss nor score.
    """
    names = {str(name).lower(): name for name in raw.columns}
    epoch = next((names[name] for name in EPOCHS if name in names), None)
    if epoch is None and CLASSES & names.keys():
        raise tables.refuse(str(path), "one row per class; give it with --classes")
    values, notes = tables.numeric(raw.drop(columns=[epoch] if epoch is not None else []))
    known = columns.known(values.columns)
    if epoch is None and not any(column.role == "loss" for column in known):
        raise tables.refuse(str(path), f"no column 'epoch', and none of losses in {list(names)}")
    if not any(column.role in ("loss", "metric") for column in known):
        raise tables.refuse(str(path), f"no loss and no score in {list(names)}")
    epochs = raw[epoch] if epoch is not None else pd.Series(range(1, len(raw) + 1))
    table, more = tables.by_epoch(str(path), values, epochs)
    seconds, timed = _seconds(table, known)
    return History(str(path), "table by epoch", table, known, seconds, {}, notes + more + timed)


def from_json(path: Path) -> History:
    """`history.history` as JSON, an object of lists as long as one another. Raises Problem."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise tables.refuse(str(path), f"not valid JSON: {error}") from None
    if isinstance(values, dict) and isinstance(values.get("history"), dict):
        values = values["history"]
    if not isinstance(values, dict) or not values:
        raise tables.refuse(str(path), "must hold an object of lists")
    lists = {name: cells for name, cells in values.items() if isinstance(cells, list)}
    lengths = {name: len(cells) for name, cells in lists.items()}
    if not lists or len(set(lengths.values())) > 1:
        raise tables.refuse(str(path), f"must hold lists as long as one another, holds {lengths}")
    history = from_table(path, pd.DataFrame(lists))
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
