"""From rows in the order of a file to one row per epoch: runs, resumes, evaluations after it."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trackbed.curves import columns
from trackbed.curves.columns import Column

CONTINUES = 0.25  # of the way back to the first loss, on a logarithmic scale
MOST_NAMED = 6


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one run in the order of the file.

    values, there: float and whether it was logged, by column. keys: the epoch, or where there is
    none the step. steps: or None. unit: what keys count, 'epoch' or 'evaluation'.
    """

    values: pd.DataFrame
    there: pd.DataFrame
    keys: pd.Series
    steps: pd.Series | None = None
    unit: str = "epoch"

    def only(self, rows: pd.Series | slice) -> "Rows":
        """Some of the rows."""
        steps = None if self.steps is None else self.steps[rows]
        return Rows(self.values[rows], self.there[rows], self.keys[rows], steps, self.unit)

    def logs(self, names: Iterable[str]) -> pd.Series:
        """Whether a row has any of these columns."""
        return self.there[list(names)].any(axis=1)

    def and_then(self, later: "Rows") -> "Rows":
        """These rows and those of the other, whose numbers differ."""
        steps = None if self.steps is None else pd.concat([self.steps, later.steps])
        values, there = (
            pd.concat([one, other])
            for one, other in ((self.values, later.values), (self.there, later.there))
        )
        return Rows(values, there, pd.concat([self.keys, later.keys]), steps)


def scored(known: Iterable[Column], *parts: str) -> list[str]:
    """The names of losses and scores (of these parts)."""
    return [
        one.name
        for one in known
        if one.role in ("loss", "metric") and (not parts or one.part in parts)
    ]


def filled(rows: Rows, known: tuple[Column, ...], path: str) -> Rows:
    """With an epoch in every row.

    A row without one (LearningRateMonitor's) belongs to the epoch of the row that follows; one
    of validation alone to that of the row before. Raises UserError for epochs that are no
    numbers.
    """
    keys = rows.keys
    if keys.isna().all():
        raise columns.refuse(path, "the column of epochs is empty")
    held = rows.logs(scored(known, "validation", "test")) & ~rows.logs(scored(known, "train"))
    keys = keys.where(keys.notna() | ~held, keys.ffill()).bfill().ffill()
    if not np.isfinite(keys).all() or (keys < 0).any():
        raise columns.refuse(path, "the column of epochs holds other things than whole numbers")
    return replace(rows, keys=keys)


def runs(rows: Rows, known: tuple[Column, ...]) -> list[tuple[Rows, list[str]]]:
    """The runs in the rows and notes about each: the epochs of one increase.

    Rows whose epochs begin again: later in the same run (a resume), where they begin after its
    first epoch; then the later row of an epoch counts. Of the same run, where they log other
    columns. Its continuation, where they begin with its first epoch but steps go on, or the
    training loss begins near where it was. Another run in all other cases.
    """
    if len(rows.keys) > 2 and (rows.keys.diff().iloc[1:] < 0).all():
        return [(rows.only(slice(None, None, -1)), ["Rows are in the reverse order of epochs."])]
    begins = np.flatnonzero(rows.keys.diff() < 0)
    borders = [0, *begins, len(rows.keys)]
    found: list[tuple[Rows, list[str]]] = []
    for first, last in itertools.pairwise(borders):
        segment = rows.only(slice(first, last))
        if not found:
            found.append((segment, []))
            continue
        run, notes = found[-1]
        joined = _joined(run, segment, known)
        if joined is None:
            found.append((segment, []))
        else:
            found[-1] = (joined[0], notes + joined[1])
    return found


def _joined(run: Rows, segment: Rows, known: tuple[Column, ...]) -> tuple[Rows, list[str]] | None:
    """The run with the segment, and notes; None where the segment is of another run."""
    first, again = segment.keys.iloc[0], run.keys >= segment.keys.iloc[0]
    if _evaluates(run, segment, known):
        return run, [_evaluated(segment, pd.Series(True, segment.keys.index), scored(known))]
    logged = [name for name in run.there if run.there[name][again].any()]
    if not segment.logs(logged).any():
        return run.and_then(segment), []
    row = int(segment.keys.index[0]) + 1
    if first > run.keys.min():
        note = (
            f"Epochs go back from {run.keys.max():g} to {first:g} in row {row} (a resumed run): of "
            f"epochs logged twice the later rows count."
        )
        return run.only(~again).and_then(segment), [note]
    if not _continues(run, segment, known):
        return None
    shift = run.keys.max() + 1 - first
    note = (
        f"Epochs begin again in row {row}, where the run goes on (training continued): they were "
        f"numbered on."
    )
    return run.and_then(replace(segment, keys=segment.keys + shift)), [note]


def _evaluates(run: Rows, segment: Rows, known: tuple[Column, ...]) -> bool:
    """Whether a trainer that counts anew evaluated after training: one epoch, not trained."""
    train = scored(known, "train")
    trained = run.logs(train)
    once = segment.keys.nunique() == 1 and segment.keys.iloc[0] == run.keys.min()
    once = once and segment.logs(scored(known)).any() and not segment.logs(train).any()
    return bool(once and trained.any() and run.keys.nunique() > 1 and _complete(run, trained))


def _continues(run: Rows, segment: Rows, known: tuple[Column, ...]) -> bool:
    if run.steps is not None and segment.steps is not None:
        return bool(segment.steps.min() > run.steps.max())
    for column in known:
        if column.role == "loss" and column.part == "train":
            before, after = run.values[column.name].dropna(), segment.values[column.name].dropna()
            if len(before) < 2 or after.empty or min(before.min(), after.min()) <= 0:
                return False
            fall = np.log(before.iloc[0] / before.iloc[-1])
            return bool(fall > 0 and np.log(after.iloc[0] / before.iloc[-1]) <= CONTINUES * fall)
    return False


def without_evaluations(rows: Rows, known: tuple[Column, ...]) -> tuple[Rows, list[str]]:
    """Without the rows that `validate()` or `test()` of a trainer added after training.

    Such rows hold no training value where all epochs before have one. One that lies as far behind
    the last training row as another epoch would is of an epoch under way. Where epochs without a
    training value are usual (Lightning logs every 50 steps), validation values stand for them.
    """
    others = [name for name in scored(known) if name not in scored(known, "train")]
    trained = rows.logs(scored(known, "train"))
    if not trained.any() or not _complete(rows, trained):
        trained = _validated(rows, known)
    if not (others and trained.any()):
        return rows, []
    held = rows.logs(others) & ~trained
    order = pd.Series(np.arange(len(held)), index=held.index)
    last_key = rows.keys[trained].max()
    after = held & (rows.keys > last_key) & ~_under_way(rows, trained)
    ends = held & (rows.keys == last_key) & (order > order[trained].max())
    single = [name for name in others if typical(rows.there[name], rows.keys) == 1]
    after |= ends & _logged_before(rows, single, ends)
    if not after.any():
        return rows, []
    return rows.only(~after), [_evaluated(rows, after, others)]


def _evaluated(rows: Rows, after: pd.Series, names: list[str]) -> str:
    return (
        f"Rows after the last epoch with {_values(rows, after, names)} alone ({after.sum()}): an "
        f"evaluation after training, no epoch."
    )


def _complete(rows: Rows, trained: pd.Series) -> bool:
    """Whether every epoch up to the last training row has one."""
    keys = rows.keys[rows.keys <= rows.keys[trained].max()]
    return set(keys) == set(rows.keys[trained])


def _validated(rows: Rows, known: tuple[Column, ...]) -> pd.Series:
    """Rows of training or validation, without a last epoch that took no steps."""
    found = rows.logs(scored(known, "train", "validation"))
    if rows.steps is None or not found.any():
        return found
    ends = rows.steps[found].groupby(rows.keys[found]).max()
    last = rows.keys == ends.index[-1]
    still = len(ends) > 2 and ends.diff().iloc[-1] < ends.diff().median() / 2
    return found & ~last if still and not rows.logs(scored(known, "train"))[last].any() else found


def _under_way(rows: Rows, trained: pd.Series) -> pd.Series:
    if rows.steps is None:
        return pd.Series(False, index=rows.keys.index)
    ends = rows.steps[trained].groupby(rows.keys[trained]).max()
    length = ends.diff().median() if len(ends) > 1 else ends.iloc[0]
    return rows.steps - ends.iloc[-1] > length / 2


def typical(there: pd.Series, keys: pd.Series) -> float:
    """How often an epoch logs a column; the median of those that do."""
    counts = keys[there].value_counts()
    return float(counts.median()) if len(counts) else 0.0


def _logged_before(rows: Rows, names: list[str], mask: pd.Series) -> bool:
    """Whether the rows repeat columns of their epoch that an epoch logs once."""
    epoch = rows.keys == rows.keys[mask].max()
    earlier = rows.there[names][epoch & ~mask].any()
    return bool((earlier & rows.there[names][mask].any()).any())


def _values(rows: Rows, some: pd.Series, names: list[str]) -> str:
    last = rows.values.loc[some, names].ffill().iloc[-1].dropna()
    return listed([f"{name} {value:.4g}" for name, value in last.items()])


def table(rows: Rows, known: tuple[Column, ...]) -> tuple[pd.DataFrame, list[str]]:
    """One row per epoch, index `epoch` from 1, and notes.

    Of losses and scores that an epoch usually logs more than once the mean counts, NaN where one
    of its values is; of all others the last value.
    """
    named, found, averaged, twice = set(scored(known)), {}, [], set()
    for name in rows.values:
        there = rows.there[name]
        groups = rows.values[name][there].groupby(rows.keys[there])
        if name in named and typical(there, rows.keys) > 1:
            found[name] = groups.agg(lambda cells: cells.mean(skipna=False))
            averaged.append(name)
        else:
            found[name] = groups.agg(lambda cells: cells.iloc[-1])
            counts = groups.size()
            twice |= set(counts.index[counts > 1]) if name in named else set()
    result = pd.DataFrame(found, index=pd.Index(sorted(set(rows.keys)))).astype(float)
    notes = []
    if averaged:
        notes.append(f"Several rows an epoch: their mean counts of {listed(averaged)}.")
    if twice:
        epochs = ", ".join(f"{epoch:g}" for epoch in sorted(twice)[:MOST_NAMED])
        notes.append(
            f"Logged twice in one epoch (epoch {epochs} of the file): the later row counts."
        )
    if result.index[0] == 0:
        notes.append("The file counts epochs from 0; here they count from 1.")
        result.index = result.index + 1
    result.index = pd.Index(result.index.astype(int), name="epoch")
    return result[list(rows.values)], notes


def listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
