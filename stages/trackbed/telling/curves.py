"""The epoch log of a training run, read from the folder that DVCLive wrote."""

from pathlib import Path
from typing import Any

import pandas as pd

from trackbed import inputs
from trackbed.problems import Problem

CURVES = (
    "train/loss",
    "train/accuracy",
    "train/macro_f1",
    "val/loss",
    "val/accuracy",
    "val/macro_f1",
    "learning_rate",
    "seconds",
    "images_per_second",
)
REMEDY = "Run `dvc repro -f train`."


def read(folder: Path) -> pd.DataFrame:
    """The curves of a run: one row per epoch (index `epoch`, from 1), columns as in CURVES.

    A value that is not a finite number in the log (a loss that overflowed) is NaN or infinite
    here. Raises Problem for a curve that is missing, broken, or of other epochs than the first.
    """
    columns = {name: _curve(folder / "plots" / "metrics" / f"{name}.tsv") for name in CURVES}
    first = columns[CURVES[0]].index
    for name, curve in columns.items():
        if not curve.index.equals(first):
            raise Problem(
                f"{folder}: curve {name} has other epochs than {CURVES[0]}, {len(curve)} rows "
                f"against {len(first)}. {REMEDY}"
            )
    return pd.DataFrame(columns).rename_axis("epoch")


def summary(folder: Path) -> dict[str, Any]:
    """What the run came to (metrics.json): best_epoch, epochs, stopped_early, seconds, ...

    Raises Problem for a missing file or one that is no JSON object.
    """
    return inputs.json_object(folder / "metrics.json", REMEDY)


def _curve(path: Path) -> pd.Series:
    """One curve, indexed by epoch. DVCLive calls the column by the last part of the name."""
    table = inputs.table(path, REMEDY, sep="\t")
    if list(table.columns) != ["step", path.stem]:
        raise Problem(
            f"{path}: columns are {list(table.columns)}, expected ['step', '{path.stem}']. {REMEDY}"
        )
    numeric = all(pd.api.types.is_numeric_dtype(table[column]) for column in table)
    if table.empty or not numeric or not table["step"].is_unique:
        raise Problem(
            f"{path}: expected one number per epoch, found {len(table)} rows with "
            f"{table['step'].nunique()} different steps. {REMEDY}"
        )
    return table.set_index("step")[path.stem].astype(float)
