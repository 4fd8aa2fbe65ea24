"""How losses and scores moved: first against last, and when they reached what they ended at."""

from dataclasses import dataclass

import pandas as pd

from trackbed.history.columns import Column
from trackbed.history.history import History

SHARES = (0.90, 0.95, 0.99)


@dataclass(frozen=True)
class Change:
    """A loss from its first to its last finite value; percent is None if it began at 0."""

    column: str
    first_epoch: int
    first: float
    last_epoch: int
    last: float
    absolute: float
    percent: float | None


@dataclass(frozen=True)
class Milestones:
    """Values of a column at epochs 1, 10, 20, ... and the last, and when it was nearly there.

    reached: by share (0.9, 0.95, 0.99) the first epoch to reach it. Of a score: of its final
    value; of a loss: of its way from the first to the final value. Empty where the final value is
    no better than the first.
    """

    column: str
    values: dict[int, float]
    reached: dict[float, int]


def changes(history: History) -> tuple[Change, ...]:
    """Every loss from first to last."""
    return tuple(_change(history, column) for column in history.of("loss"))


def milestones(history: History) -> tuple[Milestones, ...]:
    """Every loss and score of training and validation, those per class among them."""
    return tuple(
        _milestones(history.finite(column.name), column)
        for column in [*history.of("loss"), *history.of("metric")]
    )


def _change(history: History, column: Column) -> Change:
    values = history.finite(column.name)
    first, last = float(values.iloc[0]), float(values.iloc[-1])
    percent = 100 * (last - first) / abs(first) if first else None
    ends = int(values.index[0]), int(values.index[-1])
    return Change(column.name, ends[0], first, ends[1], last, last - first, percent)


def _milestones(values: pd.Series, column: Column) -> Milestones:
    end = values.index[-1]
    shown = [epoch for epoch in values.index if epoch in (1, end) or epoch % _step(end) == 0]
    first, last = values.iloc[0], values.iloc[-1]
    reached: dict[float, int] = {}
    if column.sign * (first - last) > 0:
        for share in SHARES:
            goal = first + share * (last - first) if column.lower_is_better else share * last
            there = values.index[column.sign * (values - goal) <= 0]
            reached[share] = int(there[0])
    return Milestones(column.name, {int(e): float(values[e]) for e in shown}, reached)


def _step(epochs: int) -> int:
    """10, and of long runs as many as make ten milestones: 20, 50, 100, ..."""
    return next(s * 10**p for p in range(1, 9) for s in (1, 2, 5) if epochs <= s * 10 ** (p + 1))
