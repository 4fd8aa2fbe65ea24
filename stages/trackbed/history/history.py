"""A training history: one row per epoch, and what its columns are."""

import difflib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from trackbed.history.columns import Column, same
from trackbed.problems import Problem


@dataclass(frozen=True, eq=False)
class History:
    """A run as it was logged.

    table: float64, index `epoch` (whole numbers, increasing, from 1), columns under their names in
    the file; a value that was not logged is NaN, infinite values stay. seconds: of each epoch, or
    None. facts: what the log says of the run as a whole (`monitor`, `parameters`,
    `stopped_early`, `patience`, ...). notes: what the reader did to the file, in sentences.
    """

    name: str
    kind: str
    table: pd.DataFrame
    columns: tuple[Column, ...]
    seconds: pd.Series | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, role: str, part: str | None = None) -> list[Column]:
        """The columns of a role (and part) with at least one finite value."""
        return [
            column
            for column in self.columns
            if column.role == role and part in (None, column.part) and len(self.finite(column.name))
        ]

    def finite(self, name: str) -> pd.Series:
        """The finite values of a column by epoch."""
        return finite(self.table[name])

    def column(self, name: str) -> Column:
        """The column of this name, whatever its separators. Raises Problem."""
        scored = [*self.of("loss"), *self.of("metric")]
        for column in scored:
            if column.name == name:
                return column
        for column in scored:
            if same(column.name, name):
                return column
        names = [column.name for column in scored]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"It has {', '.join(names) or 'none'}."
        raise Problem(f"{self.name}: no loss or metric called '{name}'. {hint}")

    def partner(self, column: Column, part: str) -> Column | None:
        """The column of the same quantity in another part."""
        for other in self.of(column.role, part):
            if other.quantity == column.quantity:
                return other
        return None


def finite(series: pd.Series) -> pd.Series:
    """The series without NaN and infinite values."""
    return series[np.isfinite(series)]
