"""Read training logs of many programs, recognised by content."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from trackbed.curves import (
    columns,
    event_files,
    interpretation,
    json_logs,
    log_folders,
    log_rows,
    text_tables,
)
from trackbed.curves.assignment import Assignment
from trackbed.curves.history import History
from trackbed.curves.log_rows import Log
from trackbed.pipeline.errors import UserError

IN_FOLDERS = (
    "results.csv",
    "metrics.csv",
    "history.json",
    "history.csv",
    "training.csv",
    "log.csv",
)
IN_FOLDERS += ("trainer_state.json", "summary.csv", "wandb-history.jsonl", "metrics.jsonl")
PARAMETERS = {"results.csv": ("args.yaml", "opt.yaml"), "metrics.csv": ("hparams.yaml",)}
SETTINGS = {".yaml", ".yml", ".toml", ".ini", ".cfg"}
# What Ultralytics' early stopping and `best.pt` go by, `fitness` in ultralytics/utils/metrics.py:
# mAP50-95 (0.9 of it and 0.1 of mAP50 in older versions); for classification the top accuracies.
MONITORED = ("map50-95", "map_0.5:0.95", "accuracy_top1")


def runs(path: Path, pairs: Assignment = ()) -> list[History]:
    """The histories of the runs in a file or folder.

    pairs: what columns mean where their names mislead. Raises UserError for what is missing,
    broken or no history.
    """
    logs = _folder(path) if path.is_dir() else [_file(path)]
    found = [one for log in logs for one in log_rows.histories(log, pairs)]
    if len(logs) > 1:
        found = [replace(one, name=_run_name(path, one)) for one in found]
    return [
        replace(one, notes=(interpretation.sentence(one), *one.notes))
        for one in map(_monitored, found)
    ]


def read(path: Path, pairs: Assignment = ()) -> History:
    """The history of a log of one run. Raises UserError, also for a log of several."""
    found = runs(path, pairs)
    if len(found) > 1:
        raise UserError(f"{path}: holds {len(found)} runs; expected one.")
    return found[0]


def _run_name(path: Path, history: History) -> str:
    run = history.facts.get("run")
    return f"{path}, run {run}" if run and history.name == str(path) else history.name


def _monitored(history: History) -> History:
    if history.kind != "Ultralytics":
        return history
    names = [column.name for column in history.of("metric")]
    monitor = next((name for key in MONITORED for name in names if key in name.lower()), None)
    return replace(history, facts=history.facts | ({"monitor": monitor} if monitor else {}))


def _folder(path: Path) -> list[Log]:
    if (path / "learn_error.tsv").exists():
        return [log_folders.catboost(path)]
    if log_folders.dvclive_table(path):
        return [log_folders.dvclive(path)]
    files = [path / name for name in IN_FOLDERS if (path / name).is_file()]
    if len(files) == 1:
        return [_file(files[0])]
    if found := log_folders.mlflow_metrics(path):
        return [log_folders.mlflow(metrics) for metrics in found]
    if event_files.paths(path):
        return event_files.logs(path)
    scalars = {
        one: text_tables.cells_of(text_tables.text_of(one), str(one)) for one in path.glob("*.csv")
    }
    scalars = {one: cells for one, cells in scalars.items() if event_files.is_scalar_export(cells)}
    if scalars:
        return event_files.logs_of_exports(path, scalars)
    if not files and len(single := [*path.glob("*.csv"), *path.glob("*.jsonl")]) == 1:
        return [_file(single[0])]
    if not files and (below := _below(path)):
        return [_file(one) for one in below]
    there = ", ".join(file.name for file in files) or f"none of {', '.join(IN_FOLDERS)}"
    raise columns.refuse(
        str(path),
        f"a folder with {there}, and none of DVCLive, MLflow or TensorBoard; name the file to read",
    )


def _below(path: Path) -> list[Path]:
    """The logs of several runs, a folder each; of the checkpoints of one run the last."""
    found = [one for name in IN_FOLDERS for one in sorted(path.glob(f"*/{name}"))]
    steps = {one: re.fullmatch(r"checkpoint-(\d+)", one.parent.name) for one in found}
    if found and all(steps.values()):
        return [max(found, key=lambda one: int(steps[one][1]))]
    return found


def _file(path: Path) -> Log:
    if event_files.is_event_file(path):
        return event_files.logs(path)[0]
    text = text_tables.text_of(path)
    if not text.strip():
        raise columns.refuse(str(path), "an empty file")
    if path.suffix in SETTINGS:
        raise columns.refuse(str(path), "a file of parameters, by its ending")
    if re.match(r"\d{13} \S+ \d+\s", text):
        why = "a single metric of MLflow; give the folder of its run"
        raise columns.refuse(str(path), why)
    if text.lstrip().startswith(("{", "[")):
        return json_logs.log(path, text)
    cells = text_tables.cells_of(text, str(path))
    if event_files.is_scalar_export(cells):
        return event_files.logs_of_exports(path, {path: cells})[0]
    facts, notes = log_folders.planned_in(*(path.parent / n for n in PARAMETERS.get(path.name, ())))
    return replace(_of_chart(Log(str(path), _kind(list(cells)), cells)), facts=facts, notes=notes)


def _kind(names: list[str]) -> str:
    if "epoch" in names and any(name.startswith(("metrics/", "lr/pg", "x/lr")) for name in names):
        return "Ultralytics"
    return "PyTorch Lightning" if {"epoch", "step"} <= set(names) else "table by epoch"


CHART = re.compile(r"(.+) - (.+?)(__MIN|__MAX)?")


def _of_chart(log: Log) -> Log:
    """W&B exports a chart with a column `run - metric` for every run, and its range as MIN, MAX."""
    found = {name: match for name in log.cells if (match := CHART.fullmatch(name))}
    if not found:
        return log
    rest = [name for name in log.cells if name not in found]
    tables = []
    for run in dict.fromkeys(match[1] for match in found.values()):
        names = {name: one[2] for name, one in found.items() if one[1] == run and not one[3]}
        part = log.cells[rest + list(names)].rename(columns=names)
        part = part[(part[list(names.values())] != "").any(axis=1)]
        tables.append(part.assign(run=run))
    cells = pd.concat(tables, ignore_index=True).fillna("")
    if len(tables) == 1:
        cells = cells.drop(columns="run")
    return replace(log, kind="W&B export", cells=cells)
