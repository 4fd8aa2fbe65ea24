"""Which schedule the learning rate followed, and what came after each of its drops."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import pandas as pd

from trackbed.curves.columns import Column
from trackbed.curves.history import History

SAME = 1e-3  # relative; learning rates are logged with six digits or more
FITS = 0.01  # largest deviation from a shape, of the range of the rates
FEWEST = 4  # rates that a shape must explain
DROP = 0.95  # a rate below this share of the one before
WINDOW = 3  # epochs compared before and after a drop


class Shape(StrEnum):
    """How a learning rate moves; `drops`: it is constant between them."""

    CONSTANT = "constant"
    DROPS = "drops"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    OTHER = "other"


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

    warm_up: epochs until the highest rate, 0 for none; warm_up_shape: LINEAR or OTHER, '' where
    there is none. every: epochs between drops where that is always the same.
    alike: other columns of learning rates with the same values; different: with others.
    """

    column: str
    shape: Shape
    warm_up: int
    warm_up_shape: Shape | Literal[""]
    first: float
    highest: float
    last: float
    drops: tuple[Drop, ...]
    every: int | None
    alike: tuple[str, ...]
    different: tuple[str, ...]


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
    warm_up = _warm_up(rates)
    shape = _shape(rates.iloc[max(0, warm_up - 1) :], warm_up > 0)
    epochs = _drops(rates) if shape == Shape.DROPS else []
    between = set(np.diff(epochs).tolist())
    return Schedule(
        column=columns[0].name,
        shape=shape,
        warm_up=warm_up,
        warm_up_shape=_warm_up_shape(rates.iloc[:warm_up]),
        first=float(rates.iloc[0]),
        highest=float(rates.max()),
        last=float(rates.iloc[-1]),
        drops=tuple(_drop(history, rates, epoch, monitored) for epoch in epochs),
        every=between.pop() if len(epochs) > 1 and len(between) == 1 else None,
        alike=tuple(name for name, same in others.items() if same),
        different=tuple(name for name, same in others.items() if not same),
    )


def _warm_up(rates: pd.Series) -> int:
    """Epochs up to the first with the highest rate, if the rate rises throughout them."""
    values = rates.to_numpy()
    peak = int(np.argmax(values >= values.max() * (1 - SAME)))
    rises = peak > 0 and bool((np.diff(values[: peak + 1]) > 0).all())
    return peak + 1 if rises else 0


def _warm_up_shape(rates: pd.Series) -> Shape | Literal[""]:
    if not len(rates):
        return ""
    steps = np.diff(rates.to_numpy())
    # The rate logged at the end of a warm-up may belong to its last step: allow for that.
    linear = len(steps) < 2 or np.ptp(steps) <= 0.1 * steps.mean()
    return Shape.LINEAR if linear else Shape.OTHER


def _shape(rates: pd.Series, warmed: bool) -> Shape:
    """`rates` begin with the highest one, which may still belong to the warm-up."""
    values = rates.to_numpy()
    if np.ptp(values) <= SAME * values.max():
        return Shape.CONSTANT
    values = values[1:] if warmed else values
    changes = np.abs(np.diff(values)) > SAME * values[:-1]
    if changes.mean() <= 0.5 and (np.diff(values)[changes] < 0).all():
        return Shape.DROPS
    if len(values) < FEWEST:
        return Shape.OTHER
    if _fits(values, _line(values)):
        return Shape.LINEAR
    if _fits(values, _exponential(values)):
        return Shape.EXPONENTIAL
    cosine = any(_fits(values, fitted) for fitted in _cosines(values))
    return Shape.COSINE if cosine else Shape.OTHER


def _fits(values: np.ndarray, fitted: np.ndarray) -> bool:
    return bool(np.abs(values - fitted).max() <= FITS * np.ptp(values))


def _line(values: np.ndarray) -> np.ndarray:
    places = np.arange(len(values))
    return np.polyval(np.polyfit(places, values, 1), places)


def _exponential(values: np.ndarray) -> np.ndarray:
    return np.exp(_line(np.log(values))) if (values > 0).all() else np.full(len(values), np.inf)


def _cosines(values: np.ndarray) -> list[np.ndarray]:
    """The best half cosines, from rate to rate, of as many epochs as seen and up to thrice."""
    places, fitted = np.arange(len(values)), []
    lengths = np.unique(np.linspace(len(values) - 1, 3 * len(values), 200).astype(int))
    for length in lengths:
        for shift in (0, 1):  # logged at the start of an epoch, or at its end
            wave = np.cos(np.pi * (places + shift) / (length + shift))
            basis = np.column_stack([np.ones(len(values)), wave])
            fitted.append(basis @ np.linalg.lstsq(basis, values, rcond=None)[0])
    return fitted


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
