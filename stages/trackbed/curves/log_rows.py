"""A log as a table of cells, and the histories of the runs in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from trackbed.curves import assignment, columns, epochs, interpretation, text_tables
from trackbed.curves.assignment import Assignment
from trackbed.curves.columns import Column
from trackbed.curves.epochs import Rows
from trackbed.curves.history import History

EPOCH = {"epoch", "epochs", "ep", "epoche"}
STEP = {"step", "steps", "iter", "iters", "iteration", "iterations", "round", "rounds", "updates"}
BESIDE = {"train", "training", "trainer", "global", "current", "num", "number", "no", "nr", "index"}
BESIDE |= {"idx", "id", "n", "boosting", "batch", "it"}
RUNS = {
    "run",
    "runid",
    "runname",
    "version",
    "fold",
    "trial",
    "trialid",
    "seed",
    "experiment",
    "exp",
}
PHASES = {"phase", "split", "mode", "stage", "subset", "set", "part", "partition", "dataset"}
TAGS = {"metric", "tag", "key", "variable", "quantity", "name"}
STATES = {"finished", "crashed", "failed", "running", "killed", "complete", "completed", "pruned"}
STATES |= {"success", "queued", "terminated", "error", "scheduled"}
ANSWERS = {"true", "truth", "target", "ytrue", "predicted", "prediction", "pred", "ypred"}
CLASSES = {"class", "classname", "label"}


@dataclass(frozen=True, eq=False)
class Log:
    """What a reader found. cells: str, '' where nothing was logged, rows as they were written.

    kind: the format. facts, notes: as in History.
    """

    path: str
    kind: str
    cells: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def histories(log: Log, pairs: Assignment = ()) -> list[History]:
    """The runs of a log. Raises UserError for a table that is no history, and for a column of the
    assignment that it does not have.
    """
    log = _by_name(log)
    named = assignment.with_names(pairs, list(log.cells), log.path)
    ignored = [column for role, column in named if role == "ignore"]
    log = replace(log, cells=log.cells.drop(columns=ignored))
    found = [one for name, part in _by_run(log, named) for one in _read(part, named, name)]
    if len(found) < 2:
        return found
    note = f"The log holds {len(found)} runs; this is one of them."
    return [
        replace(
            one,
            name=f"{log.path}, run {one.facts.get('run') or place + 1}",
            notes=(*one.notes, note),
        )
        for place, one in enumerate(found)
    ]


def _by_name(log: Log) -> Log:
    """With a column per quantity where rows name it: by a tag and a value, or by a phase."""
    cells = log.cells
    plain = {_letters(name): name for name in cells}
    tag = next((plain[name] for name in plain if name in TAGS), None)
    place = [name for name in cells if _is(name, EPOCH) or _is(name, STEP)]
    if tag and "value" in plain and place and not _all_numbers(cells[tag]):
        rest = [name for name in cells if name not in (tag, plain["value"])]
        wide = pd.get_dummies(cells[tag]).astype(bool)
        values = wide.apply(lambda mask: cells[plain["value"]].where(mask, ""))
        cells = cells[rest].join(values.drop(columns=rest, errors="ignore"))
    phase = next(
        (name for name in cells if _letters(name) in PHASES and _phases(cells[name])), None
    )
    if phase is None:
        return replace(log, cells=cells)
    note = f"`{phase}` names the part of a row."
    return replace(log, cells=_with_phases(cells, phase), notes=(*log.notes, note))


def _phases(cells: pd.Series) -> bool:
    values = set(cells.str.lower()) - {""}
    return bool(values) and values <= set(columns.PARTS)


def _with_phases(cells: pd.DataFrame, phase: str) -> pd.DataFrame:
    parts, wide = cells[phase].str.lower(), {}
    for name in cells.columns.drop(phase):
        if columns.parsed_name(name).role not in ("loss", "metric"):
            wide[name] = cells[name]
            continue
        for part in dict.fromkeys(parts):
            values = cells[name].where(parts == part, "")
            if (values != "").any():
                wide[f"{part}_{name}" if part else name] = values
    return pd.DataFrame(wide)


def _by_run(log: Log, pairs: Assignment) -> Iterator[tuple[str, Log]]:
    """The rows of every run that a column names, or the columns of every run of a W&B chart."""
    given = dict(pairs).get("run")
    placed = [name for name in log.cells if _is(name, EPOCH) or _is(name, STEP)]
    for name in [given] if given else [one for one in log.cells if _letters(one) in RUNS]:
        values = log.cells[name]
        groups = values.groupby(values, sort=False)
        if groups.ngroups > 1 and (given or (placed and groups.size().min() > 1)):
            for value, rows in groups:
                part = log.cells.loc[rows.index].drop(columns=name).reset_index(drop=True)
                yield (
                    f"{name} {value}" if str(value).isdigit() else str(value),
                    replace(log, cells=part),
                )
            return
    yield "", log


def _read(log: Log, pairs: Assignment, run: str) -> list[History]:
    roles = {role: column for role, column in pairs}
    epoch = roles.get("epoch") or _first(log.cells, EPOCH)
    step = roles.get("step") or _first(log.cells, STEP)
    if epoch is None and step is None:
        epoch = next(
            (name for name in log.cells if re.fullmatch(r"(unnamed: 0)?", name, re.I)), None
        )
    _refuse_other_tables(log, epoch or step, bool(pairs))
    log = _without_summaries(log, epoch)
    cells = log.cells.drop(columns=[name for name in {epoch, step} if name])
    values, notes = text_tables.numeric(cells)
    there = text_tables.logged(cells).reindex(columns=values.columns)
    there = there.where(there.notna(), values.notna()).astype(bool)
    known = assignment.assigned(columns.known(values.columns), pairs)
    _refuse_unscored(log, known, epoch or step)
    if interpretation.nan_fills(values, there, known):
        there &= values.notna()
        notes = (*notes, "Cells with `nan` between numbers count as not logged.")
    used = {role: name for role, name in (("epoch", epoch), ("step", step)) if name}
    numbers = {role: text_tables.numbers_of(log.cells[name]) for role, name in used.items()}
    keys = numbers.get("epoch", numbers.get("step"))
    if keys is None:
        keys = pd.Series(np.arange(1.0, len(values) + 1))
        notes = (*notes, "No column of epochs: the rows were numbered.")
    rows = Rows(values, there, keys, numbers.get("step") if "epoch" in numbers else None)
    if "epoch" not in numbers and "step" in numbers:
        rows = rows.only(rows.logs(epochs.scored(known)))  # others may go by other steps
    rows = epochs.filled(rows, known, log.path)
    found = []
    for part, said in epochs.runs(rows, known):
        part, counted = interpretation.by_epoch(
            part,
            known,
            of_steps=epoch is None and bool(step),
            planned=log.facts.get("planned_epochs"),
        )
        used = {"epoch": step} if step and epoch is None and not counted else used
        read = {"log": log, "run": run, "used": used}
        found.append(_history(part, known, (*log.notes, *notes, *said, *counted), read))
    return found


def _without_summaries(log: Log, epoch: str | None) -> Log:
    """Without rows whose epoch is a word (`best`, `mean`) or below 0 (before training)."""
    if epoch is None:
        return log
    cells, numbers = log.cells[epoch], text_tables.numbers_of(log.cells[epoch])
    worded = numbers.isna() & ~cells.str.lower().isin(text_tables.EMPTY | {"nan"})
    out = worded | (numbers < 0)
    if not out.any() or out.all():
        return log
    named = ", ".join(f"'{cell}'" for cell in dict.fromkeys(cells[out].str[:20][:3]))
    note = f"Rows left out ({out.sum()}), whose `{epoch}` is {named}."
    kept = log.cells[~out].reset_index(drop=True)
    return replace(log, cells=kept, notes=(*log.notes, note))


def _history(
    rows: Rows, known: tuple[Column, ...], notes: tuple[str, ...], read: dict[str, Any]
) -> History:
    rows, evaluations = epochs.without_evaluations(rows, known)
    table, more = epochs.table(rows, known)
    log = read["log"]
    known, tested = interpretation.validated_on_test(known, table)
    seconds, timed = interpretation.seconds_of(table, known, log.kind == "Ultralytics")
    facts = log.facts | ({"run": read["run"]} if read["run"] else {}) | {"rows_by": read["used"]}
    if rows.unit == "evaluation" and facts.get("planned_epochs") != len(table):
        facts.pop("planned_epochs", None)
    every = (*notes, *evaluations, *more, *tested, *timed)
    return History(log.path, log.kind, table, known, seconds, facts, every)


def _refuse_other_tables(log: Log, key: str | None, corrected: bool) -> None:
    """Raises UserError for a row per class, run, picture or parameter."""
    plain = {_letters(name): name for name in log.cells}
    if key is None and CLASSES & plain.keys() and not ANSWERS & plain.keys():
        raise columns.refuse(log.path, "one row per class; give it with --classes")
    if corrected:
        return
    if key is None and any(name.startswith(("param_", "params.")) for name in log.cells):
        raise columns.refuse(log.path, "a table of runs, with their parameters")
    if len(ANSWERS & plain.keys()) > 1 and key is None:
        raise columns.refuse(log.path, "a table of predictions, one row per picture")
    for name in ("state", "status"):
        if name in plain and set(log.cells[plain[name]].str.lower()) <= STATES | {""}:
            raise columns.refuse(
                log.path, f"a table of runs: `{plain[name]}` is the state of a run"
            )
    if key and len(log.cells) > 1 and _is(key, EPOCH) and _first(log.cells, STEP) is None:
        values = set(text_tables.numbers_of(log.cells[key]))
        if len(values) == 1 and min(values) > 1:
            raise columns.refuse(log.path, f"a table of runs: all rows have {key} {min(values):g}")
    for name, cells in log.cells.items():
        unique = len(cells) > 1 and cells.is_unique and not _all_numbers(cells)
        unique = unique and not cells.str.contains("[", regex=False).all()  # a score per class
        runs = unique and _letters(name) in RUNS | {"name", "id", "rev", "model"}
        if name != key and (runs or (unique and key is None)):
            of = "runs" if runs else "other things than epochs"
            raise columns.refuse(log.path, f"a table of {of}: `{name}` differs in every row")


def _refuse_unscored(log: Log, known: tuple[Column, ...], key: str | None) -> None:
    names = list(log.cells)
    if key is None and not any(column.role == "loss" for column in known):
        raise columns.refuse(log.path, f"no column 'epoch', and none of losses in {names}")
    if not any(column.role in ("loss", "metric") for column in known):
        why = f"no loss and no score in {names}; name them with --columns val_loss=..."
        raise columns.refuse(log.path, why)


def _first(cells: pd.DataFrame, kind: set[str]) -> str | None:
    """The column of epochs or steps with the shortest name."""
    return min((name for name in cells if _is(name, kind)), key=len, default=None)


def _is(name: str, kind: set[str]) -> bool:
    parts = set(columns.words(name))
    return bool(parts & kind) and parts <= kind | BESIDE


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _all_numbers(cells: pd.Series) -> bool:
    text = ~cells.str.lower().isin(text_tables.EMPTY | {"nan"})
    return bool(text_tables.numbers_of(cells[text]).notna().all())
