"""Read the logs that are folders of DVCLive, MLflow or CatBoost, and parameters beside a log."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from trackbed.curves import columns, log_rows, text_tables
from trackbed.curves.history import History
from trackbed.curves.log_rows import Log
from trackbed.pipeline import tables

# What programs call the number of epochs that a run was to have, its early stopping and what that
# goes by, in the lower case letters of the last part of the key.
PLANNED = {
    "planned_epochs": ("epochs", "numepochs", "maxepochs", "nepochs", "numtrainepochs"),
    "patience": ("patience", "earlystoppingpatience", "earlystoppatience", "espatience"),
    "monitor": ("monitor", "earlystoppingmonitor", "metricforbestmodel"),
}


def planned(values: Any) -> dict[str, Any]:
    """What parameters say of the plan of a run, as facts of its history.

    values: parsed YAML or JSON of any depth. A patience of a learning-rate schedule is left out,
    and so is what the shallowest keys of one meaning give different values.
    """
    found: dict[str, dict[int, set[Any]]] = {}
    for keys, value in _leaves(values):
        plain = "".join(letter for letter in keys[-1].lower() if letter.isalnum())
        if plain == "patience" and any(_reduces_rate(key) for key in keys):
            continue
        for fact, names in PLANNED.items():
            if plain in names and _fits(fact, value):
                known = found.setdefault(fact, {}).setdefault(len(keys), set())
                known.add(value if fact == "monitor" else int(value))
    shallowest = {fact: depths[min(depths)] for fact, depths in found.items()}
    return {fact: one.pop() for fact, one in shallowest.items() if len(one) == 1}


def planned_in(*paths: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The facts of PLANNED in files of parameters, and a note about them; missing and unreadable
    files give none."""
    facts: dict[str, Any] = {}
    notes = []
    for path in paths:
        try:
            found = planned(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if found:
            said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items())
            notes.append(f"{path.name} beside the log: {said}.")
        facts = found | facts
    return facts, tuple(notes)


def _leaves(values: Any, keys: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(values, dict):
        return [(keys, values)] if keys else []
    return [leaf for key, value in values.items() for leaf in _leaves(value, (*keys, str(key)))]


def _reduces_rate(key: str) -> bool:
    return any(word in key.lower() for word in ("lr", "rate", "plateau", "schedul"))


def _fits(fact: str, value: Any) -> bool:
    if fact == "monitor":
        return isinstance(value, str)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and value >= 0


REMEDY = "Is the run still writing it?"


def dvclive_table(folder: Path) -> Path | None:
    """The folder of the curves under `folder`, or None where it is none of DVCLive."""
    for candidate in (folder / "plots" / "metrics", folder):
        if candidate.is_dir() and any(candidate.rglob("*.tsv")):
            return candidate
    return None


def dvclive(folder: Path) -> Log:
    """The curves of a run, its metrics.json and its params.yaml, if there. Raises UserError."""
    curves = dvclive_table(folder)
    if curves is None:
        raise columns.refuse(str(folder), "a folder without plots/metrics/**/*.tsv")
    series = {
        path.relative_to(curves).with_suffix("").as_posix(): _curve(path)
        for path in sorted(curves.rglob("*.tsv"))
    }
    summary = folder / "metrics.json"
    facts, notes = planned_in(folder / "params.yaml")
    facts |= tables.metrics(summary, REMEDY) if summary.exists() else {}
    return log_of_series(folder, "DVCLive", series, facts, notes)


def dvclive_history(folder: Path, series: dict[str, pd.Series], summary: dict[str, Any]) -> History:
    """The history of curves by name, each indexed by step, and a summary (metrics.json).

    Raises UserError for steps that are not whole numbers.
    """
    log = log_of_series(folder, "DVCLive", series, summary, ())
    return log_rows.histories(log)[0]


def log_of_series(
    path: Path,
    kind: str,
    series: dict[str, pd.Series],
    facts: dict[str, Any],
    notes: tuple[str, ...],
) -> Log:
    """A log with a row per step, from numbers by step."""
    steps = sorted(set().union(*(one.index for one in series.values())))
    written = {name: _written(one).reindex(steps, fill_value="") for name, one in series.items()}
    cells = pd.DataFrame(written | {"step": _written(pd.Series(steps, index=steps))})
    return Log(str(path), kind, cells.reset_index(drop=True), facts, notes)


def _written(numbers: pd.Series) -> pd.Series:
    """As text that reads as the same numbers."""
    return numbers.map(lambda number: "nan" if np.isnan(number) else repr(float(number)))


def _curve(path: Path) -> pd.Series:
    table = text_tables.cells_of(text_tables.text_of(path), str(path))
    if "step" not in table or len(table.columns) < 2:
        raise columns.refuse(str(path), f"columns {list(table.columns)}, {len(table)} rows")
    table = table.apply(text_tables.numbers_of)
    # DVCLive appends: a step logged twice counts as it was logged last.
    return table.drop_duplicates("step", keep="last").set_index("step").iloc[:, -1]


def mlflow_metrics(folder: Path) -> list[Path]:
    """The folders of metrics in MLflow's file store: `metrics` of every run, or the folder."""
    found = [path for path in folder.rglob("metrics") if path.is_dir() and _holds_metrics(path)]
    return sorted(found) or ([folder] if _holds_metrics(folder) else [])


METRIC = re.compile(r"\d{10,} \S+ -?\d+( |$)")  # milliseconds since 1970, value, step


def _holds_metrics(folder: Path) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.suffix]
    return any(METRIC.match(_text(path).partition("\n")[0]) for path in files)


def mlflow(metrics: Path) -> Log:
    """A run: files of `timestamp value step` in `metrics`, of a value each in `params` beside it.

    Timestamps are milliseconds since 1970. Raises UserError.
    """
    run = metrics.parent
    series, times = {}, {}
    for path in sorted(one for one in metrics.rglob("*") if one.is_file()):
        rows = [line.split() for line in text_tables.text_of(path).splitlines() if line.strip()]
        try:
            numbers = np.array([[float(cell) for cell in row[:3]] for row in rows])
            stamps, values, steps = numbers.reshape(-1, 3).T
        except ValueError:
            raise columns.refuse(str(path), "expected rows of `timestamp value step`") from None
        name = path.relative_to(metrics).as_posix()
        series[name] = pd.Series(values, index=steps).groupby(level=0).last()
        times |= dict(zip(steps, stamps / 1000, strict=True))
    series["timestamp"] = pd.Series(times)
    values = {path.name: _text(path) for path in run.glob("params/*")}
    facts = planned({name: yaml.safe_load(value or "''") for name, value in values.items()})
    name = _text(run / "tags" / "mlflow.runName") or run.name
    return log_of_series(metrics, "MLflow", series, facts | {"run": name}, ())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


def catboost(folder: Path) -> Log:
    """learn_error.tsv and test_error.tsv of a catboost_info. Raises UserError."""
    parts = []
    for part in ("learn", "test"):
        path = folder / f"{part}_error.tsv"
        if path.exists():
            table = text_tables.cells_of(text_tables.text_of(path), str(path)).set_index("iter")
            parts.append(table.add_prefix(f"{part}_"))
    cells = pd.concat(parts, axis=1).fillna("").rename_axis("iteration").reset_index()
    return Log(str(folder), "CatBoost", cells)
