"""Read the tables of scores that the evaluation writes."""

from pathlib import Path

import pandas as pd

from trackbed import inputs
from trackbed.problems import Problem

REMEDY = "Run `dvc repro -f evaluate`."


def read(path: Path, types: dict[str, str]) -> pd.DataFrame:
    """A table of exactly these columns and types; an empty cell of float64 is NaN. Raises Problem.

    Only there: a class or a group may be called NA.
    """
    empty = {name: [""] for name, kind in types.items() if kind == "float64"}
    found = inputs.table(path, REMEDY, dtype=types, keep_default_na=False, na_values=empty)
    if list(found.columns) != list(types):
        raise Problem(
            f"{path}: columns are {list(found.columns)}, expected {list(types)}. {REMEDY}"
        )
    return found
