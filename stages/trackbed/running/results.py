"""Experiments as the table of runs that judging.crossvalidation works on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trackbed.problems import Problem
from trackbed.running import values
from trackbed.running.experiments import Experiment
from trackbed.running.runs import FOLD, SEED

VALIDATION = {
    "val_macro_f1": "best.val_macro_f1",
    "val_accuracy": "best.val_accuracy",
    "val_loss": "best.val_loss",
    "seconds": "seconds",
}
TEST = {"test_macro_f1": "macro_f1", "test_accuracy": "accuracy"}


def varied(known: Sequence[Experiment]) -> list[str]:
    """The parameters in which the experiments differ, without fold and seed, sorted."""
    keys = sorted({key for one in known for key in one.params} - {FOLD, SEED})
    return [
        key for key in keys if len({values.shown(one.params.get(key, "")) for one in known}) > 1
    ]


def table(known: Sequence[Experiment], keys: Sequence[str]) -> pd.DataFrame:
    """A row per experiment: name, commit, fold, seed, the values of the keys, scores.

    Sorted by the values, numbers by size, then fold, seed and name.
    """
    rows = [_row(one, keys) for one in known]
    rows.sort(key=lambda row: [values.order(row[key]) for key in (*keys, "fold", "seed", "name")])
    columns = ["name", "commit", "fold", "seed", *keys, *VALIDATION, *TEST]
    made = pd.DataFrame(rows, columns=columns)
    return made.astype({"fold": int, "seed": int} | dict.fromkeys((*VALIDATION, *TEST), float))


def scored(
    runs: pd.DataFrame, known: Sequence[Experiment], metric: str
) -> tuple[pd.DataFrame, str]:
    """The runs with a column for a metric, and its name; rows without it are dropped.

    metric: a column of the table, or a key of metrics/train/metrics.json or
    metrics/evaluate.json. Raises Problem where no experiment has it.
    """
    column = metric
    if metric not in runs:
        is_test = any(metric in one.test and metric not in one.validation for one in known)
        column = f"test_{metric}" if is_test else f"val_{metric}"
        by_name = {one.name: _metric(one, metric) for one in known}
        runs = runs.assign(**{column: runs["name"].map(by_name)})
    left = runs.dropna(subset=[column])
    if left.empty:
        names = sorted({key for one in known for key in (*one.validation, *one.test)})
        raise Problem(f"--metric {metric}: no experiment has it. Known: {', '.join(names)}.")
    return left.reset_index(drop=True), column


def lower_is_better(metric: str) -> bool:
    """Whether it is a loss or a time."""
    return any(word in metric for word in ("loss", "seconds", "waiting", "parameters"))


def _row(one: Experiment, keys: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": one.name, "commit": one.commit}
    row |= {"fold": str(one.params.get(FOLD, "0")), "seed": str(one.params.get(SEED, "0"))}
    row |= {key: values.shown(one.params.get(key, "")) for key in keys}
    row |= {name: one.validation.get(key, np.nan) for name, key in VALIDATION.items()}
    return row | {name: one.test.get(key, np.nan) for name, key in TEST.items()}


def _metric(one: Experiment, metric: str) -> float:
    for found in (one.validation, one.test):
        for key in (metric, f"best.{metric}"):
            if key in found:
                return found[key]
    return float("nan")
