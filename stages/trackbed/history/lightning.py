"""Histories that PyTorch Lightning's CSVLogger wrote: metrics.csv."""

from pathlib import Path

import pandas as pd

from trackbed.history import columns, tables
from trackbed.history.history import History


def fits(names: list[str]) -> bool:
    """Whether these are headers of a metrics.csv."""
    return "epoch" in names and "step" in names


def read(path: Path, raw: pd.DataFrame) -> History:
    """A metrics.csv: several rows an epoch, each with some of the columns. Raises Problem.

    Losses and scores are averaged over the rows of an epoch, of the rest the last row counts.
    LearningRateMonitor's rows have no epoch: they belong to that of the row that follows.
    """
    values, notes = tables.numeric(raw)
    epochs = values["epoch"].bfill().ffill()
    if epochs.isna().all():
        raise tables.refuse(str(path), "the column `epoch` is empty")
    names = values.columns.drop(["epoch", "step"])
    known = columns.known(names)
    scored = [column.name for column in known if column.role in ("loss", "metric")]
    rows = values[names].groupby(epochs)
    table = rows.last()
    table[scored] = rows[scored].mean()
    if not any(column.role in ("loss", "metric") for column in known):
        raise tables.refuse(str(path), f"no loss and no score in {list(names)}")
    table, more = tables.by_epoch(str(path), table.reset_index(drop=True), pd.Series(table.index))
    seconds = next((table[column.name] for column in known if column.role == "seconds"), None)
    return History(str(path), "PyTorch Lightning", table, known, seconds, {}, notes + more)
