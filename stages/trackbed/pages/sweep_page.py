"""Results of a sweep: tables as CSV, the best setting as JSON, and a self-contained HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from trackbed.evaluation import cross_validation
from trackbed.experiments import param_values
from trackbed.pages import sweep_figures
from trackbed.pipeline.outputs import write_csv, write_json
from trackbed.reporting import formatting, html

LISTED = 50  # settings in the terminal
QUANTITIES = ("val/macro_f1", "val/accuracy", "val/loss")
Curves = Mapping[str, Mapping[str, pd.Series]]
"""Curves by the name of the run and of the quantity, see experiments.curves."""


@dataclass(frozen=True)
class Sweep:
    """Runs as in evaluation.cross_validation (with name), keys: what varied.

    failed: name of the run, its error in one line, its log.
    """

    prefix: str
    baseline: str
    runs: pd.DataFrame
    keys: Sequence[str]
    failed: Sequence[tuple[str, str, str]] = ()

    @property
    def table(self) -> pd.DataFrame:
        """Settings, best first."""
        return cross_validation.table(self.runs, self.keys)

    @property
    def across(self) -> str:
        """What is repeated: fold or seed."""
        return cross_validation.repeated(self.runs)


def write(folder: Path, sweep: Sweep, curves: Curves) -> None:
    """table.csv, cv_results.csv, runs.csv, best.json and index.html."""
    write_csv(folder / "table.csv", sweep.table)
    write_csv(folder / "runs.csv", sweep.runs)
    write_csv(folder / "cv_results.csv", cross_validation.cv_results(sweep.runs, sweep.keys))
    write_json(folder / "best.json", best(sweep))
    content = {
        "sweep": sweep,
        "verdict": verdict(sweep),
        "table": sweep.table,
        "marginals": cross_validation.marginals(sweep.runs, sweep.keys),
        "parameters": {key: _of_parameter(sweep, curves, key) for key in sweep.keys},
        "folds": _of_best(sweep, curves) if sweep.table["mean"].notna().any() else [],
    }
    html.write_page(
        folder / "index.html", html.environment(autoescape=True), "sweep.html.j2", content
    )


def best(sweep: Sweep) -> dict[str, Any]:
    """The best setting under the names of GridSearchCV, with interval and test score.

    Without a setting that has a rank all of them are None.
    """
    table = sweep.table
    first = table.iloc[0]
    if np.isnan(first["mean"]):
        names = ("best_params_", "best_score_", "best_index_", "experiment")
        return dict.fromkeys(names) | {"baseline": sweep.baseline}
    results = cross_validation.cv_results(sweep.runs, sweep.keys)
    wanted = [results[f"param_{key}"] == first[key] for key in sweep.keys]
    return {
        "best_params_": {key: param_values.parsed_text(first[key]) for key in sweep.keys},
        "best_score_": float(first["mean"]),
        "best_index_": int(np.argmax(np.logical_and.reduce(wanted))) if wanted else 0,
        "scoring": cross_validation.SCORE,
        "n_splits_": int(table["splits"].max()),
        "interval": [float(first["low"]), float(first["high"])],
        "experiment": chosen(sweep)["name"],
        "test_macro_f1": float(first["test_macro_f1"]),
        "baseline": sweep.baseline,
    }


def chosen(sweep: Sweep) -> pd.Series:
    """The run that stands for the best setting: its first fold and seed."""
    return rows_of(sweep.runs, sweep.keys, sweep.table.iloc[0]).iloc[0]


def rows_of(runs: pd.DataFrame, keys: Sequence[str], setting: pd.Series) -> pd.DataFrame:
    """The runs of one setting, by fold and seed."""
    for key in keys:
        runs = runs[runs[key] == setting[key]]
    return runs.sort_values(["fold", "seed"], kind="stable")


def setting_text(keys: Sequence[str], setting: Mapping[str, Any] | pd.Series) -> str:
    """'train.dropout=0.2, train.batch=32', or 'params.yaml' where nothing varied."""
    return ", ".join(f"{key}={setting[key]}" for key in keys) or "params.yaml"


def verdict(sweep: Sweep) -> str:
    """The best setting, and whether the next one is significantly worse."""
    table = sweep.table
    first = table.iloc[0]
    if np.isnan(first["mean"]):
        return "No setting has a rank: of each a run failed, or its score is undefined."
    text = (
        f"Best by validation macro F1: {setting_text(sweep.keys, first)}, {_score(first, sweep)}."
    )
    whole = table[table["mean"].notna()]
    if len(whole) > 1:
        text += " " + runner_up(sweep.runs, sweep.keys, first, whole.iloc[1])
    if len(whole) < len(table):
        others = formatting.plural(len(table) - len(whole), "setting")
        text += f" {others} without a rank: a run failed, or its score is undefined."
    return text


def runner_up(
    runs: pd.DataFrame,
    keys: Sequence[str],
    first: pd.Series,
    second: pd.Series,
    score: str = cross_validation.SCORE,
) -> str:
    """The paired difference of the two in a sentence."""
    names = [tuple(setting[key] for key in keys) for setting in (first, second)]
    change = cross_validation.difference(runs, keys, *names, score)
    text = (
        f"The runner-up is {setting_text(keys, second)} with {formatting.share(second['mean'])}"
        f"{_tie(first, second)}: "
    )
    moved = [key for key in keys if key.startswith("split.") and first[key] != second[key]]
    if moved:
        return text + f"the two have other folds ({moved[0]}), so they cannot be paired."
    if change.count < 2:
        return text + "on one fold the difference cannot be compared with noise; use --folds all."
    between = (
        f"the best less the runner-up is {change.value:+.4f} (95 % interval {change.low:+.4f} to "
        f"{change.high:+.4f}), paired over {formatting.plural(change.count, change.of)}."
    )
    if change.distinguishable:
        return text + f"the difference is significant: {between}"
    return text + f"the two are not distinguishable: {between}"


def _tie(first: pd.Series, second: pd.Series) -> str:
    """Why a setting of the same score comes second; '' where the scores differ."""
    if first["rank"] != second["rank"]:
        return ""
    losses = [setting.get(cross_validation.LOSS, np.nan) for setting in (first, second)]
    return ", placed second by its loss" if losses[1] > losses[0] else ", no better or worse"


def text(sweep: Sweep) -> str:
    """The ranked table and the verdict for a terminal."""
    table = sweep.table.rename(columns={"mean": cross_validation.SCORE})
    columns = ["rank", *sweep.keys, cross_validation.SCORE, "std", "low", "high", "min", "max"]
    columns += ["splits", "val_accuracy", "val_loss", "test_macro_f1", "seconds"]
    head = (
        f"{formatting.plural(len(table), 'setting')}, {formatting.plural(len(sweep.runs), 'run')}; "
        f"means over {sweep.across}s, ranked by validation macro F1 at the best epoch"
    )
    table = table[columns].dropna(axis="columns", how="all")
    first = table.head(LISTED)
    first = first.assign(**{key: first[key].map(formatting.name) for key in sweep.keys})
    lines = [head, first.to_string(index=False, float_format="{:.4f}".format, na_rep="-")]
    if len(table) > LISTED:
        lines.append(f"and {len(table) - LISTED:,} more, in table.csv")
    return "\n".join([*lines, verdict(sweep)])


def _score(first: pd.Series, sweep: Sweep) -> str:
    if first["splits"] < 2:
        return f"{formatting.share(first['mean'])} on one fold"
    return (
        f"{formatting.share(first['mean'])} (95 % interval {formatting.share(first['low'])} to "
        f"{formatting.share(first['high'])} over "
        f"{formatting.plural(first['splits'], sweep.across)}; single runs "
        f"{formatting.share(first['min'])} to {formatting.share(first['max'])})"
    )


def _of_parameter(sweep: Sweep, curves: Curves, key: str) -> list[Markup]:
    known = [score for score in cross_validation.SCORES if sweep.runs[score].notna().any()]
    svgs = [sweep_figures.boxes(sweep.runs, key, score) for score in known]
    if sweep.runs[key].nunique() > sweep_figures.MOST_VALUES:
        return svgs
    for quantity in QUANTITIES:
        by_value = {
            value: [curves[name][quantity] for name in rows["name"] if quantity in curves[name]]
            for value, rows in sweep.runs.groupby(key, sort=False)
        }
        by_value = {value: some for value, some in by_value.items() if some}
        if by_value:
            svgs.append(sweep_figures.curves_by_value(by_value, key, quantity))
    return svgs


def _of_best(sweep: Sweep, curves: Curves) -> list[Markup]:
    rows = rows_of(sweep.runs, sweep.keys, sweep.table.iloc[0])
    several = rows["seed"].nunique() > 1
    names = [
        f"fold {row.fold}" + (f", seed {row.seed}" if several else "") for row in rows.itertuples()
    ]
    svgs = []
    for quantity in QUANTITIES:
        own = {
            label: curves[name][quantity]
            for label, name in zip(names, rows["name"], strict=True)
            if quantity in curves[name]
        }
        if own:
            svgs.append(sweep_figures.curves_by_fold(own, quantity))
    return svgs
