"""What a reader took for what; and what only values decide: what an epoch is, times, parts."""

from dataclasses import replace

import numpy as np
import pandas as pd

from trackbed.curves import columns
from trackbed.curves.columns import Column
from trackbed.curves.epochs import Rows, scored, typical
from trackbed.curves.history import History

CUMULATIVE = {"time", "elapsed", "runtime", "timestamp", "total", "wall"}
SINCE_1970 = 1e8
SAME_TIME = 0.05  # by which the times of single epochs may grow, of the first; a convention
MOST = 8  # names of one kind
MOST_STEPS = 1000  # that are looked at one by one
FEW = 2  # epochs, in which several evaluations each say more than their means


def sentence(history: History) -> str:
    """What the reader took for what, in one sentence."""
    names = {
        "training loss": history.of("loss", "train"),
        "validation loss": history.of("loss", "validation"),
        "test loss": history.of("loss", "test"),
        "training score": history.of("metric", "train"),
        "validation score": history.of("metric", "validation"),
        "test score": history.of("metric", "test"),
        "learning rate": history.of("rate"),
        "time": history.of("seconds"),
    }
    parts = [
        f"{role} `{name or '(no name)'}`" for role, name in history.facts.get("rows_by", {}).items()
    ]
    for role, found in names.items():
        shown = ", ".join(f"`{one.name}`" for one in found[:MOST])
        more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
        up = (
            " (higher is better)"
            if "score" in role
            else " (lower is better)"
            if "loss" in role
            else ""
        )
        if found:
            parts.append(f"{role} {shown}{more}{up}")
    if not names["validation loss"] and not names["validation score"]:
        parts.append("no validation loss or score")
    empty = [
        f"`{one.name}`"
        for one in history.columns
        if one.role in ("loss", "metric") and not len(history.finite(one.name))
    ]
    if empty:
        parts.append(f"without a number in any epoch {', '.join(empty[:MOST])}")
    return f"Read as: {'; '.join(parts)}. `--columns` corrects it."


def nan_fills(values: pd.DataFrame, there: pd.DataFrame, known: tuple[Column, ...]) -> bool:
    """Whether `nan` stands where nothing was logged: half of a column, and before numbers."""
    for name in scored(known):
        written = there[name] & values[name].isna()
        if written.mean() >= 0.5 and values[name][written.idxmax() :].notna().any():
            return True
    return False


def validated_on_test(
    known: tuple[Column, ...], table: pd.DataFrame
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """A test part that most epochs log is the validation part of a log without one."""
    finite = {one.name for one in known if np.isfinite(table[one.name]).sum() > len(table) / 2}
    parts = {one.part for one in known if one.role in ("loss", "metric") and one.name in finite}
    if "validation" in parts or "test" not in parts:
        return known, ()
    changed = tuple(replace(one, part="validation") if one.part == "test" else one for one in known)
    return changed, ("No validation values, but test values in every epoch: taken for validation.",)


def seconds_of(
    table: pd.DataFrame, known: tuple[Column, ...], cumulative: bool = False
) -> tuple[pd.Series | None, tuple[str, ...]]:
    """Seconds of each epoch; times that only grow are since the start, or since 1970.

    cumulative: whether the program is known to log seconds since the start.
    A clock that starts anew (of a resumed run) counts from 0 again. Times that hardly grow
    (04:35, 04:36, 04:38) are those of single epochs.
    """
    for column in known:
        values = table[column.name]
        if column.role != "seconds" or not np.isfinite(values).any():
            continue
        absolute = values.min() > SINCE_1970
        first = values[np.isfinite(values)].iloc[0]
        grows = len(values) > 2 and values.diff()[1:].gt(0).mean() > 0.9
        grows = grows and values.diff().median() > SAME_TIME * first
        if not (absolute or cumulative or (grows and CUMULATIVE & set(columns.words(column.name)))):
            return values, ()
        steps = values.diff()
        if not absolute:
            steps = steps.where(~(steps < 0), values)
            if table.index[0] == 1:
                steps.iloc[0] = values.iloc[0]
        if cumulative:
            return steps, ()
        kind = "points in time" if absolute else "seconds since the start"
        return steps, (f"Column `{column.name}` grows throughout: taken for {kind}.",)
    return None, ()


def by_epoch(
    rows: Rows, known: tuple[Column, ...], *, of_steps: bool, planned: int | None
) -> tuple[Rows, list[str]]:
    """Rows of one run with whole epochs as keys, or evaluations where these tell more; and notes.

    of_steps: whether the keys are steps. Steps that count 0, 1, 2, ... are epochs, unless there are
    more of them than planned epochs. Parts of an epoch count to its end.
    """
    keys = rows.keys
    if of_steps:
        counted = np.unique(keys)
        if _in_order(counted) and len(counted) <= (MOST_STEPS if planned is None else planned):
            return rows, []
        return _by_evaluation(rows, known)
    fractional = (keys % 1 != 0).any()
    whole = np.ceil(keys - 1e-6).clip(lower=1) if fractional else keys
    held = rows.there[scored(known, "validation", "test")]
    often = max((typical(held[name], whole) for name in held), default=0) > 1
    if often and (fractional or whole.nunique() <= FEW):
        order = pd.Series(np.arange(len(keys)), index=keys.index)
        by_step = replace(rows, keys=order if rows.steps is None else rows.steps)
        return _by_evaluation(by_step, known)
    notes = ["Parts of an epoch (0.5, 1.0) count to the epoch they end."] if fractional else []
    return replace(rows, keys=whole), notes


def _by_evaluation(rows: Rows, known: tuple[Column, ...]) -> tuple[Rows, list[str]]:
    """Rows by step, numbered by the evaluation that follows, or one by one without any.

    Where evaluations themselves are counted 0, 1, 2, ..., and training by many more steps, the
    training rows are divided evenly among them.
    """
    held = rows.logs(scored(known, "validation", "test"))
    counted = np.unique(rows.keys[held])
    trained = rows.keys[~held]
    if not held.any() or held.all():
        numbers, unit = rows.keys.rank(method="dense"), "evaluation"
        together = int(np.ceil(numbers.max() / MOST_STEPS))
        numbers = np.ceil(numbers / together)
        steps = "a step that was" if together == 1 else f"{together} steps that were"
        note = f"No epochs in the log: what is called epoch here is {steps} logged."
    elif (
        len(counted) > 1
        and _in_order(counted)
        and len(trained) > len(counted)
        and trained.max() > 2 * counted.max()
    ):
        numbers, unit = rows.keys - counted[0] + 1, "epoch"
        shares = (trained.rank(method="first") - 1) * len(counted) // len(trained)
        numbers = numbers.where(held, shares.reindex(rows.keys.index) + 1)
        note = (
            "Validation is counted by epochs, training by steps: the training rows were divided "
            "evenly among the epochs."
        )
    else:
        ends = held & (rows.keys != rows.keys.shift(-1))
        numbers, unit = ends.shift(1, fill_value=False).cumsum() + 1, "evaluation"
        gap = (rows.keys if rows.steps is None else rows.steps)[ends].diff().median()
        every = f" (after {gap:g} steps each)" if gap > 1 else ""
        note = (
            f"Evaluations do not go by epochs: what is called epoch here is an evaluation{every}."
        )
    return replace(rows, keys=numbers.astype(float), unit=unit), [note]


def _in_order(steps: np.ndarray) -> bool:
    return steps[0] in (0, 1) and bool((np.diff(steps) == 1).all())
