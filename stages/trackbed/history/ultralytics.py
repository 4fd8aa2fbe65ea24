"""Histories that Ultralytics (and YOLOv5) wrote: results.csv."""

from pathlib import Path

import pandas as pd

from trackbed.history import columns, tables
from trackbed.history.history import History

# What its early stopping and `best.pt` go by, `fitness` in ultralytics/utils/metrics.py: mAP50-95
# (0.9 of it and 0.1 of mAP50 in older versions); for classification the top accuracies.
MONITORED = ("map50-95", "map_0.5:0.95", "accuracy_top1")


def fits(names: list[str]) -> bool:
    """Whether these are headers of a results.csv."""
    told = any(name.startswith(("metrics/", "lr/pg", "x/lr")) for name in names)
    return "epoch" in names and told


def read(path: Path, raw: pd.DataFrame) -> History:
    """A results.csv. Raises Problem."""
    values, notes = tables.numeric(raw.drop(columns="epoch"))
    table, more = tables.by_epoch(str(path), values, raw["epoch"])
    known = columns.known(table.columns)
    monitor = next(
        (column.name for key in MONITORED for column in known if key in column.name.lower()), None
    )
    facts = {"monitor": monitor} if monitor else {}
    seconds = _seconds(table["time"]) if "time" in table else None
    return History(str(path), "Ultralytics", table, known, seconds, facts, notes + more)


def _seconds(since_start: pd.Series) -> pd.Series:
    """Seconds of each epoch from the cumulative `time`, whose clock starts anew with a resume."""
    steps = since_start.diff()
    steps = steps.where(~(steps < 0), since_start)
    if since_start.index[0] == 1:
        steps.iloc[0] = since_start.iloc[0]
    return steps
