"""Histories for tests: in memory from columns, and the real ones beside the repository."""

from pathlib import Path

import pandas as pd

from trackbed.curves import columns, log_readers
from trackbed.curves.history import History

LOGS = Path(__file__).parents[2] / "shared" / "logs"


def made(seconds=None, facts=None, **values):
    """A history with these columns, epochs from 1; `val_` and so on as Keras names them."""
    length = len(next(iter(values.values())))
    index = pd.RangeIndex(1, length + 1, name="epoch")
    table = pd.DataFrame(values, index=index, dtype=float)
    times = None if seconds is None else pd.Series(seconds, index=index, dtype=float)
    known = columns.known(table.columns)
    return History("a run", "table by epoch", table, known, times, facts or {})


def written(path, text):
    """The history in a file with this text."""
    path.write_text(text, encoding="utf-8")
    return log_readers.read(path)
