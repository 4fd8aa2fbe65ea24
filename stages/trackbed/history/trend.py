"""The trend of a noisy curve, with its interval."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

# Below this no order of values is rare enough for a 95 % interval to exclude 0: with 4 values a
# fully sorted order has a two-sided probability of 2/24, with 5 of 2/120.
FEWEST = 5
CONFIDENCE = 0.95
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
    takes the deviations from the line for independent.
    """
    values = series[np.isfinite(series)]
    if len(values) < FEWEST:
        return None
    epochs = values.index.to_numpy(dtype=float)
    if values.nunique() == 1:  # scipy divides by the variance
        slope = low = high = 0.0
    else:
        slope, _, low, high = stats.theilslopes(values.to_numpy(), epochs, CONFIDENCE)
    return Trend(float(slope), float(low), float(high), int(epochs[0]), int(epochs[-1]))


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
