"""How fast a run learned, how far losses and scores moved, and when they got there."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from trackbed.curves.anomalies import unit
from trackbed.curves.columns import Column
from trackbed.curves.history import FEWEST, History, Trend, trend
from trackbed.curves.loss_measures import RISE, swing

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
    epochs = [epoch for epoch in values.index if epoch in (1, end) or epoch % _step(end) == 0]
    first, last = values.iloc[0], values.iloc[-1]
    reached: dict[float, int] = {}
    if column.sign * (first - last) > 0:
        for share in SHARES:
            # A share of the score itself means nothing where that is negative.
            whole_way = column.lower_is_better or last <= 0
            goal = first + share * (last - first) if whole_way else share * last
            there = values.index[column.sign * (values - goal) <= 0]
            reached[share] = int(there[0])
    return Milestones(column.name, {int(e): float(values[e]) for e in epochs}, reached)


def _step(epochs: int) -> int:
    """10, and of long runs as many as make ten milestones: 20, 50, 100, ..."""
    return next(s * 10**p for p in range(1, 9) for s in (1, 2, 5) if epochs <= s * 10 ** (p + 1))


# Of all that the best epoch gained over the first one; conventions, stated in docs/curves.md.
RAPID, MODERATE, SLOW = 0.40, 0.10, 0.02
BEYOND_SWING = 3
AROUND = 1  # epochs on either side of a best value that must be good, too
MOST_SCORES = 8


class Progress(StrEnum):
    """How much was gained in a range of epochs."""

    RAPID = "rapid"
    MODERATE = "moderate"
    SLOW = "slow"
    CONVERGED = "converged"
    NO_TREND = "no clear trend"
    WORSE = "worse"


@dataclass(frozen=True)
class Range:
    """A quarter (or half) of a run by one column.

    variation: standard deviation by mean, None for a mean of 0. gain: average improvement per
    epoch (Theil-Sen; a fall of a loss, a rise of a score) with its 95 % interval. share: of all
    that was gained in the run, how much the best value so far gained here. word: that in one
    word.
    """

    first: int
    last: int
    mean: float
    deviation: float
    variation: float | None
    gain: float
    low: float
    high: float
    share: float
    word: Progress


@dataclass(frozen=True)
class Convergence:
    """settled: the first epoch within SLOW (2 %) of the best of all that was gained.

    converged: the last range gained nothing, and none got worse.
    """

    column: str
    ranges: tuple[Range, ...]
    settled: int
    converged: bool


def convergence(history: History, monitored: Column | None) -> tuple[Convergence, ...]:
    """Of the losses, the monitored column and the first MOST_SCORES scores of validation, each with
    ten finite values or more.
    """
    losses = history.of("loss")
    columns = [*losses, *([monitored] if monitored and monitored not in losses else [])]
    scores = [one for one in history.of("metric", "validation") if one not in columns]
    found = (
        _convergence(history.finite(column.name), column, abs(unit(history, column)))
        for column in [*columns, *scores[:MOST_SCORES]]
    )
    return tuple(one for one in found if one)


def _convergence(values: pd.Series, column: Column, size: float) -> Convergence | None:
    parts = 4 if len(values) >= 4 * FEWEST else 2
    if len(values) < parts * FEWEST:
        return None
    signed = -column.sign * values  # improvement is a rise
    gained = signed.max() - signed.iloc[0]
    before, level, ranges = signed.iloc[0], signed.iloc[0], []
    for places in np.array_split(np.arange(len(values)), parts):
        part = signed.iloc[places]
        best = max(before, part.max())
        share = float((best - before) / gained) if gained > 0 else 0.0
        progress = _progress(part, level, share, size, before)
        ranges.append(_range(part, values.iloc[places], share, progress))
        before, level = best, part.median()
    settled = int(signed.index[signed >= signed.max() - SLOW * gained][0])
    words = [one.word for one in ranges]
    converged = words[-1] == Progress.CONVERGED and Progress.WORSE not in words
    return Convergence(column.name, tuple(ranges), settled, converged)


def _range(signed: pd.Series, values: pd.Series, share: float, word: Progress) -> Range:
    line = _trend(signed)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    variation = deviation / abs(mean) if mean else None
    ends = int(values.index[0]), int(values.index[-1])
    return Range(*ends, mean, deviation, variation, line.slope, line.low, line.high, share, word)


def _progress(
    signed: pd.Series, level: float, share: float, size: float, before: float
) -> Progress:
    """Without a trend a best value by luck is no progress; a trend of almost nothing is none.

    level: where the range began: the first value, or the median of the range before; before: the
    best value until then; size: the unit of the quantity (anomalies.unit). Values around the best
    one far beyond the level are progress without a trend, too, and a median far below `before` is
    worse.
    """
    line, noise = _trend(signed), BEYOND_SWING * swing(signed)
    moved = abs(line.slope) * (len(signed) - 1)
    if share < SLOW and before - signed.median() > max(RISE * size, noise):
        return Progress.WORSE
    jumped = _around_best(signed) - level > noise
    if line.direction < 0 and moved >= SLOW * size and not jumped:
        return Progress.WORSE
    if share < SLOW:
        return Progress.CONVERGED
    if line.direction <= 0 and not jumped:
        return Progress.NO_TREND if share >= MODERATE else Progress.CONVERGED
    if share >= RAPID:
        return Progress.RAPID
    return Progress.MODERATE if share >= MODERATE else Progress.SLOW


def _around_best(signed: pd.Series) -> float:
    place = int(signed.to_numpy().argmax())
    return float(signed.iloc[max(0, place - AROUND) : place + AROUND + 1].median())


def _trend(values: pd.Series) -> Trend:
    line = trend(values)
    if line is None:
        raise ValueError(f"a range needs {FEWEST} values, has {len(values)}")
    return line
