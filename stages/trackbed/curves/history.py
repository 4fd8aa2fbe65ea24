"""A training history: one row per epoch, what its columns are, and the trend of a curve."""

import difflib
import functools
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from trackbed.curves.columns import Column, same
from trackbed.pipeline.errors import UserError

# Below this no order of values is rare enough for a 95 % interval to exclude 0: with 4 values a
# fully sorted order has a two-sided probability of 2/24, with 5 of 2/120.
FEWEST = 5
MOST = 1000  # values; their pairs take 8 MB
CONFIDENCE = 0.95
QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
TO_STANDARD_DEVIATION = 1.4826  # of the median absolute deviation, for normal values


@dataclass(frozen=True)
class Trend:
    """Change per epoch, its 95 % interval, and the epochs it was taken over."""

    slope: float
    low: float
    high: float
    first: int
    last: int

    @property
    def direction(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def trend(series: pd.Series) -> Trend | None:
    """The Theil-Sen slope of finite values by epoch; None for fewer than FEWEST values.

    The median of the slopes between all pairs of epochs, which a spike does not bend, with the
    interval of Sen (1968), Journal of the American Statistical Association 63, 1379-1389. It
    takes the deviations from the line for independent. Of more than MOST values as many are taken,
    at equal distances.
    """
    values = series[np.isfinite(series)]
    if len(values) < FEWEST:
        return None
    if len(values) > MOST:
        values = values.iloc[np.linspace(0, len(values) - 1, MOST).round().astype(int)]
    epochs = values.index.to_numpy(dtype=float)
    slope, low, high = theil_sen(values.to_numpy(dtype=float), epochs)
    return Trend(slope, low, high, int(epochs[0]), int(epochs[-1]))


def theil_sen(values: np.ndarray, epochs: np.ndarray) -> tuple[float, float, float]:
    """The median slope of all pairs and its interval (low, high), see `trend`.

    values, epochs: float, shape (n,); epochs increase. As scipy.stats.theilslopes, which takes
    longer to import than the analysis takes.
    """
    steps = epochs[:, None] - epochs
    later = steps > 0
    slopes = np.sort((values[:, None] - values)[later] / steps[later])
    ties = np.unique(values, return_counts=True)[1]
    # Equation 2.6 of Sen (1968); a value that occurs once adds nothing.
    variance = (_pair_term(len(values)) - _pair_term(ties).sum()) / 18
    reach = QUANTILE * np.sqrt(variance)
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _pair_term(count: np.ndarray | int) -> np.ndarray | int:
    return count * (count - 1) * (2 * count + 5)


def scatter(series: pd.Series) -> float:
    """The robust standard deviation around the trend line; NaN for too few values."""
    line = trend(series)
    if line is None:
        return float("nan")
    values = series[np.isfinite(series)]
    rest = values - line.slope * values.index.to_numpy(dtype=float)
    return robust_deviation(rest.to_numpy())


def robust_deviation(values: np.ndarray) -> float:
    """The standard deviation, estimated from the median absolute deviation."""
    return float(TO_STANDARD_DEVIATION * np.median(np.abs(values - np.median(values))))


@dataclass(frozen=True, eq=False)
class History:
    """A run as it was logged.

    table: float64, index `epoch` (whole numbers, increasing, from 1), columns under their names in
    the file; a value that was not logged is NaN, infinite values stay. seconds: of each epoch, or
    None. facts: what the log, or a file of parameters beside it, says of the run as a whole
    (`monitor`, `parameters`, `stopped_early`, `patience`, `planned_epochs`, ...); `patience` and
    `planned_epochs` are whole numbers, `rows_by` the columns of epoch and step by these words.
    notes: what the reader took for what and what it did to the file, in sentences.
    """

    name: str
    kind: str
    table: pd.DataFrame
    columns: tuple[Column, ...]
    seconds: pd.Series | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, role: str, part: str | None = None) -> list[Column]:
        """The columns of a role (and part) with at least one finite value."""
        return [
            column
            for column in self.columns
            if column.role == role and part in (None, column.part) and self._has_values[column.name]
        ]

    @functools.cached_property
    def _has_values(self) -> dict[str, bool]:
        return np.isfinite(self.table).any().to_dict()

    def finite(self, name: str) -> pd.Series:
        """The finite values of a column by epoch."""
        return finite(self.table[name])

    def column(self, name: str) -> Column:
        """The column of this name, whatever its separators. Raises UserError."""
        scored = [*self.of("loss"), *self.of("metric")]
        for column in scored:
            if column.name == name:
                return column
        for column in scored:
            if same(column.name, name):
                return column
        names = [column.name for column in scored]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"It has {', '.join(names) or 'none'}."
        raise UserError(f"{self.name}: no loss or metric called '{name}'. {hint}")

    def partner(self, column: Column, part: str) -> Column | None:
        """The column of the same quantity in another part."""
        for other in self.of(column.role, part):
            if other.quantity == column.quantity:
                return other
        return None


def finite(series: pd.Series) -> pd.Series:
    """The series without NaN and infinite values."""
    return series[np.isfinite(series)]


# By these words, the first that a score of training and validation has.
SCORES = ("accuracy", "acc", "f1", "auc", "iou", "dice")


@dataclass(frozen=True, eq=False)
class LossPair:
    """Training and validation loss on their common epochs; several losses are added up."""

    name: str
    train: pd.Series
    validation: pd.Series


@dataclass(frozen=True, eq=False)
class ScorePair:
    """A score of training and validation by epoch, 0 to 1."""

    name: str
    train: pd.Series
    validation: pd.Series


def minimised(columns: list[Column]) -> list[Column]:
    """Of losses of one part those that were minimised: the one called `loss`, else all whose names
    end in it, which are to be added up, else the first.

    Ultralytics logs the parts of its loss weighted as they are added up. Of an error rate beside a
    perplexity the sum means nothing.
    """
    whole = [column for column in columns if column.quantity == "loss"]
    parts = [column for column in columns if column.quantity.lower().endswith("loss")]
    return whole or parts or columns[:1]


def loss_pair(history: History) -> LossPair | None:
    """The loss that was minimised (see `minimised`), of those that training and validation have."""
    pairs = {
        column: partner
        for column in history.of("loss", "train")
        if (partner := history.partner(column, "validation"))
    }
    whole = [(column, pairs[column]) for column in minimised(list(pairs))]
    if not whole:
        return None
    table = history.table
    sides = [sum(table[pair[side].name] for pair in whole) for side in (0, 1)]
    both = np.isfinite(sides[0]) & np.isfinite(sides[1])
    name = " + ".join(pair[0].quantity for pair in whole)
    return LossPair(name, sides[0][both], sides[1][both])


def score_pair(history: History) -> ScorePair | None:
    """The first score, by the order of SCORES, that training and validation have, 0 to 1."""
    columns = history.of("metric", "train")
    for word in SCORES:
        for column in columns:
            partner = history.partner(column, "validation")
            if word in column.quantity.lower() and "top" not in column.quantity and partner:
                train, validation = history.finite(column.name), history.finite(partner.name)
                unit = 100 if train.max() > 1.5 else 1  # logged in percent
                return ScorePair(column.quantity, train / unit, validation / unit)
    return None
