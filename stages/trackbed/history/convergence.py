"""How fast a run learned, by range of its epochs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.history.columns import Column
from trackbed.history.history import History
from trackbed.history.trend import FEWEST, Trend, scatter, trend

# Of all that the best epoch gained over the first one; conventions, stated in docs/curves.md.
RAPID, MODERATE, SLOW = 0.40, 0.10, 0.02
BEYOND_SCATTER = 3


@dataclass(frozen=True)
class Range:
    """A quarter (or half) of a run by one column.

    variation: standard deviation by mean, None for a mean of 0. gain: average improvement per
    epoch (Theil-Sen; a fall of a loss, a rise of a score) with its 95 % interval. share: of all
    that was gained in the run, how much the best value so far gained here. word: 'rapid',
    'moderate', 'slow', 'converged', 'no clear trend' or 'worse'.
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
    word: str


@dataclass(frozen=True)
class Convergence:
    """settled: the first epoch within SLOW (2 %) of the best of all that was gained.

    converged: the last range gained nothing, and none got worse.
    """

    column: str
    ranges: tuple[Range, ...]
    settled: int
    converged: bool


def convergence(history: History, columns: list[Column]) -> tuple[Convergence, ...]:
    """Of each column that has ten finite values or more."""
    found = (_convergence(history.finite(column.name), column) for column in columns)
    return tuple(one for one in found if one)


def _convergence(values: pd.Series, column: Column) -> Convergence | None:
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
        word = _word(part, level, share, gained)
        ranges.append(_range(part, values.iloc[places], share, word))
        before, level = best, part.median()
    settled = int(signed.index[signed >= signed.max() - SLOW * gained][0])
    words = [one.word for one in ranges]
    converged = words[-1] == "converged" and "worse" not in words
    return Convergence(column.name, tuple(ranges), settled, converged)


def _range(signed: pd.Series, values: pd.Series, share: float, word: str) -> Range:
    line = _trend(signed)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    variation = deviation / abs(mean) if mean else None
    ends = int(values.index[0]), int(values.index[-1])
    return Range(*ends, mean, deviation, variation, line.slope, line.low, line.high, share, word)


def _word(signed: pd.Series, level: float, share: float, gained: float) -> str:
    """Without a trend a best value by luck is no progress; a trend of almost nothing is none.

    level: where the range began: the first value, or the median of the range before. A median far
    beyond it is progress, even if all of it came at once.
    """
    line = _trend(signed)
    moved = abs(line.slope) * (len(signed) - 1)
    if line.direction < 0 and moved >= SLOW * gained:
        return "worse"
    if share < SLOW:
        return "converged"
    jumped = signed.median() - level > BEYOND_SCATTER * scatter(signed)
    if line.direction <= 0 and not jumped:
        return "no clear trend" if share >= MODERATE else "converged"
    return "rapid" if share >= RAPID else "moderate" if share >= MODERATE else "slow"


def _trend(values: pd.Series) -> Trend:
    line = trend(values)
    if line is None:
        raise ValueError(f"a range needs {FEWEST} values, has {len(values)}")
    return line
