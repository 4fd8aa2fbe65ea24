"""Which schedule the learning rate followed, and what came after each of its drops."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from trackbed.curves import rate_shapes
from trackbed.curves.columns import Column
from trackbed.curves.history import History
from trackbed.curves.rate_shapes import Shape

SAME = 1e-3  # relative; learning rates are logged with six digits or more
FEWEST = 4  # rates that a shape must explain
DROP = 0.95  # a rate below this share of the one before
WINDOW = 3  # epochs compared before and after a drop
LONG = 3  # epochs at the highest or lowest rate that are worth a word
CYCLE = 0.2  # of the epochs: a longer warm-up is the first part of one cycle
UNEVEN = 1  # epochs by which periods of a cycle may differ


@dataclass(frozen=True)
class Effect:
    """The median of a column over up to WINDOW epochs before a drop, and from the drop on."""

    column: str
    before: float
    after: float


@dataclass(frozen=True)
class Drop:
    """The first epoch with a lower learning rate, and what followed."""

    epoch: int
    before: float
    after: float
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Schedule:
    """The shape of the learning rate after its warm-up.

    warm_up: epochs until the highest rate, 0 for none; warm_up_shape: '' where there is none.
    one_cycle: a long warm-up and an end below the first rate. hold: epochs at the highest rate
    before the shape begins, floor: at the lowest after it, 0 for fewer than LONG. restarts: first
    epochs of the parts after the first, each of the shape. period: epochs from peak to peak of a
    rate that goes up and down. every: epochs between drops where that is always the same.
    alike: other columns of learning rates with the same values; different: with others.
    """

    column: str
    shape: Shape
    warm_up: int
    warm_up_shape: Shape | Literal[""]
    one_cycle: bool
    hold: int
    floor: int
    restarts: tuple[int, ...]
    period: int | None
    first: float
    highest: float
    last: float
    drops: tuple[Drop, ...]
    every: int | None
    alike: tuple[str, ...]
    different: tuple[str, ...]


@dataclass(frozen=True)
class _Decay:
    shape: Shape
    hold: int = 0
    floor: int = 0
    restarts: tuple[int, ...] = ()
    period: int | None = None


def schedule(history: History, monitored: Column | None = None) -> Schedule | None:
    """The schedule in the first column of learning rates; None for fewer than FEWEST rates."""
    columns = history.of("rate")
    if not columns:
        return None
    rates = history.finite(columns[0].name)
    if len(rates) < FEWEST or (rates < 0).any():
        return None
    others = {
        column.name: bool(np.allclose(history.table[column.name].reindex(rates.index), rates, SAME))
        for column in columns[1:]
    }
    peak = _peak(rates)
    decay = _decay(rates.iloc[peak:])
    peak = 0 if decay.period else peak  # the first rise is one of several
    warm_up_shape = _warm_up_shape(rates.iloc[: peak + 1]) if peak else ""
    epochs = _drops(rates) if decay.shape == Shape.DROPS else []
    between = set(np.diff(epochs).tolist())
    return Schedule(
        column=columns[0].name,
        shape=decay.shape,
        warm_up=peak + 1 if peak else 0,
        warm_up_shape=warm_up_shape,
        one_cycle=_one_cycle(rates, peak, decay),
        hold=decay.hold,
        floor=decay.floor,
        restarts=decay.restarts,
        period=decay.period,
        first=float(rates.iloc[0]),
        highest=float(rates.max()),
        last=float(rates.iloc[-1]),
        drops=tuple(_drop(history, rates, epoch, monitored) for epoch in epochs),
        every=between.pop() if len(epochs) > 1 and len(between) == 1 else None,
        alike=tuple(name for name, same in others.items() if same),
        different=tuple(name for name, same in others.items() if not same),
    )


def _peak(rates: pd.Series) -> int:
    """The place of the first highest rate if the rate rises up to it, else 0.

    The first rate may be there twice.
    """
    values = rates.to_numpy()
    peak = int(np.argmax(values >= values.max() * (1 - SAME)))
    steps = np.diff(values[: peak + 1])
    rises = peak > 0 and bool((steps[1:] > 0).all()) and bool(steps[0] >= 0)
    return peak if rises and values[0] < values[peak] else 0


def _warm_up_shape(rates: pd.Series) -> Shape:
    steps = np.diff(rates.to_numpy())
    steps = steps[steps > 0]
    # The rate logged at the end of a warm-up may belong to its last step: allow for that.
    if len(steps) < 2 or np.ptp(steps) <= 0.1 * steps.mean():
        return Shape.LINEAR
    return rate_shapes.shape(rates.index.to_numpy(), rates.to_numpy())


def _one_cycle(rates: pd.Series, peak: int, decay: _Decay) -> bool:
    """As Smith's (2018, arXiv 1803.09820): up for a good part of the run, and down below the start.

    A warm-up has the same form, but is short.
    """
    smooth = decay.shape in (Shape.COSINE, Shape.LINEAR) and not decay.restarts
    return bool(smooth and peak + 1 > CYCLE * len(rates) and rates.iloc[-1] < rates.iloc[0])


def _decay(rates: pd.Series) -> _Decay:
    """What the rate does from its highest value on."""
    values, epochs = rates.to_numpy(), rates.index.to_numpy()
    slack = np.maximum(SAME * values, 2 * rate_shapes.rounding(values))
    steps = np.diff(values)
    if np.ptp(values) <= slack.max():
        return _Decay(Shape.CONSTANT)
    rises = np.flatnonzero(steps > slack[1:]) + 1
    if len(rises):
        return _parts(epochs, values, rises)
    hold, floor = _level(values, slack), _level(values[::-1], slack[::-1])
    long = {"hold": hold if hold >= LONG else 0, "floor": floor if floor >= LONG else 0}
    for start in dict.fromkeys((0, hold - 1, hold, hold + 1)):
        for end in (len(values), len(values) - floor + 1):
            found = rate_shapes.shape(epochs[start:end], values[start:end])
            if found != Shape.OTHER:
                used = {"hold": long["hold"] if start else 0}
                used |= {"floor": long["floor"] if end < len(values) else 0}
                return _Decay(found, **used)
    few = (np.abs(steps) > slack[1:]).mean() <= 0.5
    return _Decay(Shape.DROPS if few else Shape.OTHER)


def _level(values: np.ndarray, slack: np.ndarray) -> int:
    """How many rates at the beginning are the same."""
    differ = np.abs(values - values[0]) > slack[0]
    return int(np.argmax(differ)) if differ.any() else len(values)


def _parts(epochs: np.ndarray, values: np.ndarray, rises: np.ndarray) -> _Decay:
    """A rate that jumps up again: parts of one shape, or up and down at a fixed distance.

    rises: places of the rates that are higher than the one before.
    """
    if (np.diff(rises) > 1).all():
        parts = np.split(np.arange(len(values)), rises)
        found = {
            rate_shapes.shape(epochs[part], values[part]) for part in parts if len(part) >= FEWEST
        }
        if len(found) == 1 and Shape.OTHER not in found and len(parts[0]) >= FEWEST:
            return _Decay(found.pop(), restarts=tuple(int(epochs[place]) for place in rises))
    turns = np.flatnonzero(np.diff(np.sign(np.diff(values))) < 0) + 1
    periods = np.diff(np.r_[0, turns])
    if len(turns) and np.ptp(periods) <= UNEVEN:
        return _Decay(Shape.OTHER, period=round(float(periods.mean())))
    return _Decay(Shape.OTHER)


def _drops(rates: pd.Series) -> list[int]:
    return [int(epoch) for epoch in rates.index[rates < DROP * rates.shift(1)]]


def _drop(history: History, rates: pd.Series, epoch: int, monitored: Column | None) -> Drop:
    columns = history.of("loss", "train")[:1]
    columns += [monitored] if monitored and monitored not in columns else []
    effects = []
    for column in columns:
        values = history.finite(column.name)
        before = values[values.index < epoch].iloc[-WINDOW:]
        after = values[values.index >= epoch].iloc[:WINDOW]
        if len(before) and len(after):
            effects.append(Effect(column.name, float(before.median()), float(after.median())))
    earlier = rates[rates.index < epoch].iloc[-1]
    return Drop(epoch, float(earlier), float(rates[epoch]), tuple(effects))
