"""Columns of numbers by epoch, out of tables as programs write them."""

import re

import numpy as np
import pandas as pd

from trackbed.problems import Problem

LIST = re.compile(r'\s*"?\[(.*)\]"?\s*', re.DOTALL)
EXPECTED = "Expected one row per epoch with losses or scores."


def cleaned(raw: pd.DataFrame) -> pd.DataFrame:
    """Without blanks around the headers, rows that repeat the header, and rows without a value."""
    table = raw.rename(columns=lambda name: str(name).strip())
    header = (table.astype(str).apply(lambda cells: cells.str.strip()) == table.columns).all(axis=1)
    return table[~header].dropna(how="all").reset_index(drop=True)


def numeric(table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All columns as float64, and notes about those that hold no numbers.

    A column of lists (a score per class in Keras' CSVLogger) becomes a column per place, `f1[0]`.
    """
    columns, left_out = {}, []
    for name, cells in table.items():
        if (lists := _lists(cells)) is not None:
            columns |= {f"{name}[{place}]": lists[:, place] for place in range(lists.shape[1])}
            continue
        numbers = pd.to_numeric(cells, errors="coerce").astype(float)
        if numbers.notna().any() or cells.isna().all() or _not_a_number(cells):
            columns[name] = numbers.to_numpy()
        else:
            left_out.append(str(name))
    notes = (f"Left out, no numbers: {', '.join(left_out)}.",) if left_out else ()
    return pd.DataFrame(columns, index=table.index), notes


def by_epoch(
    path: str, table: pd.DataFrame, epochs: pd.Series
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table indexed by epoch from 1, and notes about what was changed for it.

    Raises Problem for epochs that are no whole numbers.
    """
    if not len(table):
        raise refuse(path, "no row of values")
    numbers = pd.to_numeric(epochs, errors="coerce").astype(float)
    if not np.isfinite(numbers).all() or (numbers % 1 != 0).any():
        raise refuse(path, "the column of epochs holds other things than whole numbers")
    notes = []
    if (numbers.diff().iloc[1:] <= 0).any():
        notes.append("Epochs are not in increasing order (a resumed run?): rows were numbered.")
        numbers = pd.Series(np.arange(1.0, len(table) + 1))
    if numbers.iloc[0] == 0:
        notes.append("The file counts epochs from 0; here they count from 1.")
        numbers = numbers + 1
    index = pd.Index(numbers.astype(int).to_numpy(), name="epoch")
    return table.set_axis(index, axis=0), tuple(notes)


def refuse(path: str, why: str) -> Problem:
    """The Problem of a file that is no history."""
    return Problem(f"{path}: no training history ({why}). {EXPECTED}")


def _not_a_number(cells: pd.Series) -> bool:
    return cells.dropna().astype(str).str.strip().str.lower().eq("nan").all()


def _lists(cells: pd.Series) -> np.ndarray | None:
    """float, shape (rows, places), if every cell is a list of as many numbers."""
    found = [LIST.fullmatch(str(cell)) for cell in cells]
    if not found or not all(found):
        return None
    try:
        rows = [[float(part) for part in re.split(r"[,\s]+", one[1].strip())] for one in found]
        return np.array(rows)
    except ValueError:
        return None
