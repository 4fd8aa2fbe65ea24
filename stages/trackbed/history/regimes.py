"""Changes of regime: a curve's level shifts between two epochs and stays there.

As when an augmentation is switched off, or the data or the loss change under a running training.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.history.trend import robust_deviation

WINDOW = 8  # epochs on either side; Ultralytics switches mosaic off for the last 10
LEAST = 0.02  # of the unit of the quantity (anomalies.unit)
DEVIATIONS = 5  # of the rest: at 5 the values of the two regimes do not overlap
STEP_DEVIATIONS = 4  # of the steps around
COMES_AT_ONCE = 0.5  # of the shift, in the one step


@dataclass(frozen=True)
class Shift:
    """epoch: the first of the new regime. before, after: the values on either side of the border.

    size: the shift of the level, trend taken out; deviation: the standard deviation of the rest.
    """

    epoch: int
    before: float
    after: float
    size: float
    deviation: float


def shifts(values: pd.Series, unit: float) -> list[Shift]:
    """The level shifts of finite values by epoch, the clearest of those near each other.

    A line with a step (an interrupted time series: Wagner and others 2002, Journal of Clinical
    Pharmacy and Therapeutics 27, 299-309) is fitted to 8 epochs on either side of every border. The
    step counts if it is 2 % of `unit`, 5 deviations of the rest, comes at least by half between
    the two epochs, and if that difference sticks out from those around by 4 robust deviations.
    """
    numbers, found = values.to_numpy(dtype=float), {}
    for place in range(WINDOW, len(numbers) - WINDOW + 1):
        size, deviation = _fitted(numbers[place - WINDOW : place + WINDOW])
        if abs(size) < max(LEAST * abs(unit), DEVIATIONS * deviation):
            continue
        if _sticks_out(numbers, place, size):
            before, after = float(numbers[place - 1]), float(numbers[place])
            found[place] = Shift(int(values.index[place]), before, after, size, deviation)
    return [
        shift
        for place, shift in found.items()
        if all(
            abs(shift.size) >= abs(other.size)
            for near, other in found.items()
            if abs(near - place) < WINDOW
        )
    ]


def _fitted(window: np.ndarray) -> tuple[float, float]:
    """The step in the middle of a line with a step, and the standard deviation of the rest."""
    places = np.arange(len(window))
    basis = np.column_stack([np.ones(len(window)), places, places >= len(window) // 2])
    found = np.linalg.lstsq(basis, window, rcond=None)[0]
    rest = window - basis @ found
    return float(found[2]), float(np.sqrt((rest**2).sum() / (len(window) - 3)))


def _sticks_out(numbers: np.ndarray, place: int, size: float) -> bool:
    steps = np.diff(numbers)
    step, middle = steps[place - 1], WINDOW // 2
    near = np.r_[steps[place - 1 - middle : place - 1], steps[place : place + middle]]
    usual, noise = float(np.median(near)), robust_deviation(near)
    return step * size > 0 and abs(step - usual) >= max(
        COMES_AT_ONCE * abs(size), STEP_DEVIATIONS * noise
    )
