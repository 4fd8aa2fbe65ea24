"""Spikes, plateaus, oscillation and changes of regime in a training history."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd

from trackbed.curves.columns import Column
from trackbed.curves.history import History, robust_deviation
from trackbed.curves.loss_measures import breaks

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


FEWEST_EPOCHS = 10
# Of the unit of a quantity (`unit`): what is smaller is of no consequence, however rare.
SPIKE, SWING = 0.10, 0.03
SPIKE_DEVIATIONS = 4
SPIKE_WINDOW = 3  # epochs on either side
TURNS = 2.33  # standard deviations above the expectation, one-sided 1 %
STANDSTILL, STANDSTILL_SHARE, RESUMED = 5, 0.10, 0.05


class Kind(StrEnum):
    """What can be odd in a curve."""

    NOT_FINITE = "not finite"
    SPIKE = "spike"
    OSCILLATION = "oscillation"
    PLATEAU = "plateau"
    REGIME_CHANGE = "regime change"


@dataclass(frozen=True)
class Anomaly:
    """epochs: where; of a plateau its first and last, of a regime change the first of the new
    regime. numbers: what carries it, by name.
    """

    kind: Kind
    column: str
    epochs: tuple[int, ...]
    numbers: dict[str, float] = field(default_factory=dict)


def anomalies(history: History, monitored: Column | None) -> tuple[Anomaly, ...]:
    """All anomalies of losses and scores; those that need ten epochs are silent below."""
    found = []
    for column in history.columns:
        if column.role in ("loss", "metric"):
            found += not_finite(history.table[column.name], column)
    for column in [*history.of("loss"), *history.of("metric")]:
        values = history.finite(column.name)
        if len(values) >= FEWEST_EPOCHS:
            size = unit(history, column)
            found += spikes(values, column, size)
            found += [_regime(column, shift) for shift in shifts(values, size)]
            found += oscillation(values, column, size)
    if monitored and len(history.finite(monitored.name)) >= FEWEST_EPOCHS:
        found += plateaus(history.finite(monitored.name), monitored)
    return tuple(found)


def _regime(column: Column, shift: Shift) -> Anomaly:
    numbers = {"before": shift.before, "after": shift.after}
    numbers |= {"shift": shift.size, "deviation": shift.deviation}
    return Anomaly(Kind.REGIME_CHANGE, column.name, (shift.epoch,), numbers)


def unit(history: History, column: Column) -> float:
    """What a change of a quantity is measured by: how far it moved in the run, from the worst first
    to the best value of training and validation. The loss of a network that began well moves
    little, and trifles in it would look large against its own range.
    """
    curves = [
        history.finite(other.name)
        for other in history.of(column.role)
        if other.quantity == column.quantity
    ]
    firsts = [column.sign * curve.iloc[0] for curve in curves]
    bests = [(column.sign * curve).min() for curve in curves]
    return float(max(firsts) - min(bests)) or 1.0  # 0 if nothing ever moved


def not_finite(values: pd.Series, column: Column) -> list[Anomaly]:
    """Infinite and missing values; a value of the test part may be missing.

    See loss_measures.breaks for what counts as missing.
    """
    epochs = breaks(values)
    if not epochs or (column.part == "test" and values.isna().all()):
        return []
    infinite = int(np.isinf(values).sum())
    numbers = {"infinite": float(infinite), "missing": float(len(epochs) - infinite)}
    numbers |= {"finite": float(np.isfinite(values).sum())}
    return [Anomaly(Kind.NOT_FINITE, column.name, epochs, numbers)]


def spikes(values: pd.Series, column: Column, size: float) -> list[Anomaly]:
    """Values far worse than the running median of 7 epochs that come back.

    Hampel's filter (1974, Journal of the American Statistical Association 69, 383-393), with 4
    robust deviations, on values that are at least a tenth of `size` worse than the median around
    and than the median before, and from which the median after comes back by half of that. The
    first two epochs and the last cannot be distinguished from the fall and from a jump.
    """
    signed = column.sign * values
    centre = signed.rolling(2 * SPIKE_WINDOW + 1, center=True, min_periods=SPIKE_WINDOW).median()
    excess = signed - centre
    least = max(SPIKE * size, SPIKE_DEVIATIONS * robust_deviation(excess.dropna().to_numpy()))
    epochs = []
    for place in range(2, len(signed) - 1):
        value = signed.iloc[place]
        before = signed.iloc[max(0, place - SPIKE_WINDOW) : place].median()
        after = signed.iloc[place + 1 : place + 1 + SPIKE_WINDOW].median()
        back = value - after >= SPIKE * size / 2
        if excess.iloc[place] >= least and value - before >= SPIKE * size and back:
            epochs.append(int(signed.index[place]))
    if not epochs:
        return []
    worst = max(epochs, key=lambda epoch: excess[epoch])
    level = column.sign * float(centre[worst])
    numbers = {"worst_epoch": worst, "worst": float(values[worst]), "around": level}
    return [Anomaly(Kind.SPIKE, column.name, tuple(epochs), numbers)]


def oscillation(values: pd.Series, column: Column, size: float) -> list[Anomaly]:
    """More turning points than independent values have, and swings of 3 % of `size` or more.

    Of n independent values 2 (n - 2) / 3 are turning points, with variance (16 n - 29) / 90
    (Bienayme 1874; Kendall and Stuart, The Advanced Theory of Statistics 3).
    """
    steps = np.diff(values.to_numpy())
    turns = int((steps[1:] * steps[:-1] < 0).sum())
    count = len(values)
    surplus = (turns - 2 * (count - 2) / 3) / np.sqrt((16 * count - 29) / 90)
    swing = float(np.median(np.abs(steps)))
    if surplus <= TURNS or swing < SWING * abs(size):
        return []
    ends = int(values.index[0]), int(values.index[-1])
    numbers = {"turns": float(turns), "expected": 2 * (count - 2) / 3, "swing": swing}
    return [Anomaly(Kind.OSCILLATION, column.name, ends, numbers)]


def plateaus(values: pd.Series, column: Column) -> list[Anomaly]:
    """Stretches of 5 epochs (10 % of a longer run) without a new best value, after which it came.

    And it came by 5 % or more of all that was gained. The wait after the best epoch is no plateau:
    see `epochs_since` in best.py.
    """
    signed = column.sign * values
    best = signed.cummin()
    gained = signed.iloc[0] - signed.min()
    places = [place for place in range(1, len(best)) if best.iloc[place] < best.iloc[place - 1]]
    least = max(STANDSTILL, STANDSTILL_SHARE * len(values))
    found = []
    for start, end in zip([0, *places], places, strict=False):
        gain = float(best.iloc[start] - best.iloc[end:].min())
        if end - start - 1 >= least and gain >= RESUMED * gained:
            ends = int(values.index[start + 1]), int(values.index[end - 1])
            numbers = {"level": float(values.iloc[start]), "gained_after": gain}
            found.append(Anomaly(Kind.PLATEAU, column.name, ends, numbers))
    return found
