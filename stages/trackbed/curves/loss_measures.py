"""How far losses fell, rose again and scattered: the measures that the findings go by."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.curves.columns import Column
from trackbed.curves.history import (
    FEWEST,
    History,
    LossPair,
    ScorePair,
    Trend,
    loss_pair,
    minimised,
    robust_deviation,
    scatter,
    trend,
)

RISE = 0.10  # of the fall of the loss; a convention, stated in docs/curves.md
QUARTER = 4
LEADING = 0.2  # of the epochs
REGULAR = 0.8  # of the steps


@dataclass(frozen=True, eq=False)
class Losses:
    """The losses that were minimised, by epoch; None where the log has none.

    With both, on their common epochs. label: the quantities, joined by ' + '; columns: the names by
    part, joined in the same way.
    """

    label: str
    train: pd.Series | None
    validation: pd.Series | None
    columns: dict[str, str]

    @property
    def pair(self) -> LossPair | None:
        """Both, or None."""
        if self.train is None or self.validation is None:
            return None
        return LossPair(self.label, self.train, self.validation)

    @property
    def epochs(self) -> int:
        """How many epochs have a value."""
        return max(len(one) for one in (self.train, self.validation) if one is not None)

    @property
    def fall(self) -> float:
        """From the larger first loss to the best validation (else training) loss, above 0.

        The run's own unit of loss.
        """
        there = [series for series in (self.train, self.validation) if series is not None]
        first = max(series.iloc[0] for series in there)
        return float(first - there[-1].min()) or abs(float(first)) or 1.0


def losses(history: History) -> Losses | None:
    """Those of training and validation that belong together, else those of one part alone."""
    if (pair := loss_pair(history)) and len(pair.train):
        quantities = pair.name.split(" + ")
        names = {
            part: _joined([one for one in history.of("loss", part) if one.quantity in quantities])
            for part in ("train", "validation")
        }
        return Losses(pair.name, pair.train, pair.validation, names)
    for part in ("validation", "train"):
        if columns := minimised(history.of("loss", part)):
            values = history.table[[one.name for one in columns]].sum(axis=1, skipna=False)
            values = values[np.isfinite(values)]
            sides = {"train": None, "validation": None} | {part: values}
            label = " + ".join(one.quantity for one in columns)
            return Losses(label, **sides, columns={part: _joined(columns)}) if len(values) else None
    return None


def _joined(columns: list[Column]) -> str:
    return " + ".join(column.name for column in columns)


@dataclass(frozen=True)
class Rise:
    """What a loss did after its best epoch.

    rises: by trend and by RISE of the fall; size: from the best to the median of the last quarter
    after it; share: of the fall.
    """

    epoch: int
    rises: bool
    size: float
    share: float


def rise(values: pd.Series, fall: float) -> Rise:
    """The trend leaves the best epoch out: it was picked for being low.

    The unit is the fall of `values`; where the best is the first epoch there was none, and `fall`
    is taken instead.
    """
    best, epoch = float(values.min()), int(values.idxmin())
    after = values[values.index > epoch]
    if not len(after):
        return Rise(epoch, False, 0.0, 0.0)
    unit = float(values.iloc[0] - best) or fall
    size = float(after[last_quarter(after)].median() - best)
    line = trend(after)
    rising = line is not None and line.direction > 0 and size / unit >= RISE
    return Rise(epoch, bool(rising), size, size / unit)


@dataclass(frozen=True)
class Gap:
    """Validation minus training loss at an epoch (`last`: mean of the last quarter)."""

    first_epoch: int
    first: float
    best: float
    last: float


def gap(pair: LossPair) -> Gap:
    """At the first epoch that both have, at the best by validation, and in the last quarter."""
    gaps = pair.validation - pair.train
    ends = int(gaps.index[0]), float(gaps.iloc[0])
    return Gap(*ends, float(gaps[pair.validation.idxmin()]), end(gaps))


def growth(pair: LossPair, onset: int | None) -> Trend | None:
    """The trend of the gap from the onset on, else over the second half."""
    gaps = pair.validation - pair.train
    return trend(gaps[gaps.index >= onset] if onset else second_half(gaps))


def swing(values: pd.Series) -> float:
    """The robust standard deviation from epoch to epoch; NaN for fewer than five values.

    The smaller of that around the trend line and that of the second differences divided by
    sqrt(6), their standard deviation for independent values of deviation 1: the bend of a smooth
    curve is no swing.
    """
    numbers = values.to_numpy(dtype=float)
    if len(numbers) < FEWEST:
        return float("nan")
    return min(scatter(values), robust_deviation(np.diff(numbers, 2)) / np.sqrt(6))


def tail(values: pd.Series) -> Trend | None:
    """The trend of the last quarter, at least of five values; None for fewer."""
    return trend(values.iloc[-max(FEWEST, len(values) // QUARTER) :])


def gain_per_quarter(line: Trend, values: pd.Series, sign: int) -> float:
    """What a trend gains in a quarter of the epochs; 0 where it may be none.

    line: of some of the values; sign: 1 where a fall is good, -1 where a rise is.
    """
    if sign * line.direction >= 0:
        return 0.0
    rows = len(values[(values.index >= line.first) & (values.index <= line.last)])
    return -sign * line.slope * (line.last - line.first) * len(values) / (QUARTER * rows)


def gap_onset(scores: ScorePair, gap: float) -> int:
    """The first epoch from which on the training score stays `gap` above the other."""
    closed = (scores.train - scores.validation).dropna() < gap
    after = closed.index[closed][-1] if closed.any() else closed.index[0] - 1
    return int(min(after + 1, closed.index[-1]))


def second_half(values: pd.Series) -> pd.Series:
    """The second half of the values."""
    return values.iloc[len(values) // 2 :]


def last_quarter(values: pd.Series) -> pd.Index:
    """The epochs of the last quarter of the values, at least one."""
    return values.index[-max(1, len(values) // QUARTER) :]


def end(values: pd.Series) -> float:
    """The mean of the last quarter."""
    return float(values[last_quarter(values)].mean())


def breaks(values: pd.Series) -> tuple[int, ...]:
    """Epochs without a finite number, without the gaps of a value that is logged now and then.

    Infinite values, and NaN in every epoch, at the end, or in between. No break is NaN in more
    than the first fifth (a value logged from then on), and NaN at regular distances (Keras'
    validation_freq).
    """
    found = np.flatnonzero(np.isfinite(values))
    missing = values.isna().to_numpy(copy=True)
    if len(found):
        start = found[0] if found[0] > LEADING * len(values) else 0
        missing[:start] = False
        if _regular(found[found >= start], len(values)):
            missing[:] = False
    return tuple(map(int, values.index[np.isinf(values) | missing]))


def _regular(places: np.ndarray, length: int) -> bool:
    """Whether four of five steps between the places are the same, of two rows or more."""
    if len(places) == 1:
        return places[0] == length - 1
    steps = np.diff(places)
    usual = int(np.median(steps))
    often = (steps == usual).mean() >= REGULAR
    return usual > 1 and bool(often) and length - 1 - places[-1] <= usual


def first_of_last(epochs: Iterable[int], index: pd.Index) -> int | None:
    """The first of the epochs that reach without a gap to the end of the index, or None."""
    broken, found = set(epochs), None
    for epoch in reversed(index):
        if epoch not in broken:
            return found
        found = int(epoch)
    return found
