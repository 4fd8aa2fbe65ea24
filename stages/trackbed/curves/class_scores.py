"""The scores of every class of a finished run, as a table holds them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

NAMES = ("class_name", "class", "label", "name")
AVERAGES = {
    "macro avg",
    "weighted avg",
    "micro avg",
    "accuracy",
    "all",
}  # scikit-learn, Ultralytics
REMEDY = "Expected one row per class with columns 'class' and 'f1'."


@dataclass(frozen=True)
class ClassScores:
    """best: the classes of the highest F1; worst: the three of the lowest, with it.

    weighted: means weighted by support, by column, where support is known.
    """

    classes: int
    best: tuple[str, ...]
    best_f1: float
    worst: dict[str, float]
    support: int | None
    weighted: dict[str, float]


def read(path: Path) -> ClassScores:
    """From a CSV such as plots/evaluation_summary.csv; rows of averages are left out.

    Raises UserError.
    """
    table = tables.read_csv(path, REMEDY, skipinitialspace=True, dtype=str, keep_default_na=False)
    table.columns = [str(name).strip().lower() for name in table.columns]
    key = next((name for name in NAMES if name in table), None)
    if key is None or "f1" not in table:
        raise UserError(f"{path}: no scores by class, columns are {list(table.columns)}. {REMEDY}")
    table = table[~table[key].str.lower().isin(AVERAGES)].set_index(key)
    numbers = table.apply(pd.to_numeric, errors="coerce")
    if not np.isfinite(numbers["f1"]).any():
        raise UserError(f"{path}: no class has an F1. {REMEDY}")
    return class_scores(numbers)


def class_scores(table: pd.DataFrame) -> ClassScores:
    """table: column `f1`, perhaps `support` and others, indexed by class name.

    Ties among the worst keep the order of the table; NaN takes no part.
    """
    f1 = table["f1"].dropna()
    worst = f1.sort_values(kind="stable").head(3)
    weighted, support = {}, None
    if "support" in table:
        counted = table["support"].fillna(0)
        support = int(counted.sum())
        for name in ("accuracy", "precision", "recall", "f1"):
            if name in table and support:
                here = table[name].notna()
                weighted[name] = float(np.average(table[name][here], weights=counted[here]))
    return ClassScores(
        classes=len(f1),
        best=tuple(f1.index[f1 == f1.max()].astype(str)),
        best_f1=float(f1.max()),
        worst={str(name): float(value) for name, value in worst.items()},
        support=support,
        weighted=weighted,
    )
