"""Read the training logs that are folders, and the parameters that lie beside a log."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from trackbed.curves import columns
from trackbed.curves.history import History
from trackbed.pipeline import tables

# What programs call the number of epochs that a run was to have, its early stopping and what that
# goes by, in the lower case letters of the last part of the key.
PLANNED = {
    "planned_epochs": ("epochs", "numepochs", "maxepochs", "nepochs", "numtrainepochs"),
    "patience": ("patience", "earlystoppingpatience", "earlystoppatience", "espatience"),
    "monitor": ("monitor", "earlystoppingmonitor", "metricforbestmodel"),
}
PARAMETER_FILES = ("params.yaml", "args.yaml", "hparams.yaml", "opt.yaml")


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


def parameters_beside(folder: Path) -> dict[str, Any]:
    """The facts of PLANNED in the files of parameters of a folder; an unreadable one gives none."""
    facts: dict[str, Any] = {}
    for name in PARAMETER_FILES:
        try:
            values = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        facts = planned(values) | facts
    return facts


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


def read_dvclive(folder: Path) -> History:
    """The curves of a run and its metrics.json, if there. Raises UserError."""
    curves = dvclive_table(folder)
    if curves is None:
        raise columns.refuse(str(folder), "a folder without plots/metrics/**/*.tsv")
    series = {
        path.relative_to(curves).with_suffix("").as_posix(): _curve(path)
        for path in sorted(curves.rglob("*.tsv"))
    }
    summary = folder / "metrics.json"
    facts = tables.json_object(summary, REMEDY) if summary.exists() else {}
    facts = parameters_beside(folder) | facts
    return dvclive_history(folder, series, facts)


def dvclive_history(folder: Path, series: dict[str, pd.Series], summary: dict[str, Any]) -> History:
    """The history of curves by name, each indexed by step, and a summary (metrics.json).

    Raises UserError for steps that are not whole numbers.
    """
    table = pd.DataFrame(series).sort_index().rename_axis("epoch")
    table, notes = columns.by_epoch(str(folder), table, pd.Series(table.index))
    known = columns.known(table.columns)
    seconds = next((table[column.name] for column in known if column.role == "seconds"), None)
    return History(str(folder), "DVCLive", table, known, seconds, summary, notes)


def _curve(path: Path) -> pd.Series:
    table = tables.read_csv(path, REMEDY, sep="\t")
    if "step" not in table or len(table.columns) < 2 or table.empty:
        raise columns.refuse(str(path), f"columns {list(table.columns)}, {len(table)} rows")
    # DVCLive appends: a step logged twice counts as it was logged last.
    table = table.drop_duplicates("step", keep="last").set_index("step")
    return pd.to_numeric(table.iloc[:, -1], errors="coerce").astype(float)
