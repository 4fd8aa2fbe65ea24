"""Histories in the folders of DVCLive, trackbed's own epoch log among them."""

from pathlib import Path

import pandas as pd

from trackbed import inputs
from trackbed.history import columns, tables
from trackbed.history.history import History

REMEDY = "Is the run still writing it?"


def found(folder: Path) -> Path | None:
    """The folder of the curves under `folder`, or None where it is none of DVCLive."""
    for candidate in (folder / "plots" / "metrics", folder):
        if candidate.is_dir() and any(candidate.rglob("*.tsv")):
            return candidate
    return None


def read(folder: Path) -> History:
    """The curves of a run and its metrics.json, if there. Raises Problem."""
    curves = found(folder)
    if curves is None:
        raise tables.refuse(str(folder), "a folder without plots/metrics/**/*.tsv")
    series = {
        path.relative_to(curves).with_suffix("").as_posix(): _curve(path)
        for path in sorted(curves.rglob("*.tsv"))
    }
    table = pd.DataFrame(series).sort_index().rename_axis("epoch")
    table, notes = tables.by_epoch(str(folder), table, pd.Series(table.index))
    known = columns.known(table.columns)
    seconds = next((table[column.name] for column in known if column.role == "seconds"), None)
    summary = folder / "metrics.json"
    facts = inputs.json_object(summary, REMEDY) if summary.exists() else {}
    return History(str(folder), "DVCLive", table, known, seconds, facts, notes)


def _curve(path: Path) -> pd.Series:
    table = inputs.table(path, REMEDY, sep="\t")
    if "step" not in table or len(table.columns) < 2 or table.empty:
        raise tables.refuse(str(path), f"columns {list(table.columns)}, {len(table)} rows")
    # DVCLive appends: a step logged twice counts as it was logged last.
    table = table.drop_duplicates("step", keep="last").set_index("step")
    return pd.to_numeric(table.iloc[:, -1], errors="coerce").astype(float)
