"""What a reader took for what, and what only the values of a log decide: its times, its parts."""

from dataclasses import replace

import numpy as np
import pandas as pd

from trackbed.curves import columns
from trackbed.curves.columns import Column
from trackbed.curves.history import History

CUMULATIVE = {"time", "elapsed", "runtime", "timestamp", "total", "wall"}
SINCE_1970 = 1e8
MOST = 8  # names of one kind


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
        parts.append(f"without a number in any row {', '.join(empty[:MOST])}")
    return f"Read as: {'; '.join(parts)}. `--columns` corrects it."


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
    A clock that starts anew (of a resumed run) counts from 0 again.
    """
    for column in known:
        values = table[column.name]
        if column.role != "seconds" or not np.isfinite(values).any():
            continue
        absolute = values.min() > SINCE_1970
        grows = values.diff()[1:].gt(0).mean() > 0.9 if len(values) > 2 else absolute
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
