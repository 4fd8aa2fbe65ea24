"""Shapes that a learning rate may follow: fitted to the rates of a log, and accepted if all fit."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum

import numpy as np

FITS = 0.01  # largest deviation from a shape, of the range of the rates
FEWEST, FEWEST_CURVED = 4, 6  # rates that a shape of two and of three numbers must explain
MANY = 5  # different rates, from which on a rounding of the log is looked for
POWERS = (0.5, 0.9, 2, 3, 4)
LENGTHS = 100  # tried for a curve that a stopped run leaves unfinished


class Shape(StrEnum):
    """How a learning rate moves; `drops`: it is constant between them."""

    CONSTANT = "constant"
    DROPS = "drops"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"
    POLYNOMIAL = "polynomial"
    INVERSE_ROOT = "inverse square root"
    INVERSE_TIME = "inverse time"
    OTHER = "other"


def rounding(values: np.ndarray) -> np.ndarray:
    """By how much each rate may be off because the log rounds, to decimals or to digits.

    The rates are taken for exact to the last decimal, and to the most digits, that any has; few
    different rates, and rates of one digit, for exact.
    """
    numbers = [Decimal(repr(float(value))).normalize().as_tuple() for value in values]
    decimals = min(int(number.exponent) for number in numbers)
    digits = max(len(number.digits) for number in numbers)
    if len(np.unique(values)) < MANY:
        return np.zeros(len(values))
    sizes = np.floor(np.log10(np.where(values > 0, values, 1.0)))
    by_digits = np.where((values > 0) & (digits > 1), 0.5 * 10.0 ** (sizes + 1 - digits), 0.0)
    return np.maximum(0.5 * 10.0**decimals, by_digits)


def shape(epochs: np.ndarray, values: np.ndarray) -> Shape:
    """The first of the smooth shapes that fits every rate, else OTHER."""
    if len(values) < FEWEST:
        return Shape.OTHER
    unsure, steps = rounding(values), np.abs(np.diff(values))
    level = steps <= 2 * unsure[1:]
    if level.mean() > 0.5 and steps.max() > 4 * unsure.max():
        return Shape.OTHER  # constant between drops
    allowed = np.maximum(FITS * np.ptp(values), 1.01 * unsure)
    places = (epochs - epochs[0]).astype(float)
    for name, candidates in SHAPES.items():
        for fitted in candidates(places, values):
            if (np.abs(values - fitted) <= allowed).all():
                return name
    return Shape.OTHER


def _line(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.polyval(np.polyfit(places, values, 1), places)


def _lines(places: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
    yield _line(places, values)


def _exponentials(places: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
    if (values > 0).all():
        yield np.exp(_line(places, np.log(values)))


def _cosines(places: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
    """The best half cosines, from rate to rate, of as many epochs as seen and up to thrice."""
    if len(values) <= FEWEST:
        return
    lengths = np.linspace(places[-1], 3 * (places[-1] + 1), LENGTHS)
    for length in np.unique(lengths.astype(int)):
        for shift in (0, 1):  # logged at the start of an epoch, or at its end
            wave = np.cos(np.pi * (places + shift) / (length + shift))
            basis = np.column_stack([np.ones(len(values)), wave])
            yield basis @ np.linalg.lstsq(basis, values, rcond=None)[0]


def _polynomials(places: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
    """Powers of the share of the epochs left: any power down to 0, POWERS down to any rate."""
    if len(values) < FEWEST_CURVED:
        return
    lengths = np.linspace(places[-1], 3 * (places[-1] + 1), LENGTHS)
    for length in np.unique(lengths.astype(int)):
        for shift in (0, 1):
            left = np.maximum(0, 1 - (places + shift) / (length + shift))
            there = (left > 0) & (values > 0)
            if there.sum() >= FEWEST:
                power, scale = np.polyfit(np.log(left[there]), np.log(values[there]), 1)
                if power > 0:
                    yield np.exp(scale) * left**power
            for power in POWERS:
                basis = np.column_stack([np.ones(len(values)), left**power])
                yield basis @ np.linalg.lstsq(basis, values, rcond=None)[0]


def _inverse(power: int) -> Callable[[np.ndarray, np.ndarray], Iterator[np.ndarray]]:
    def fitted(places: np.ndarray, values: np.ndarray) -> Iterator[np.ndarray]:
        if len(values) >= FEWEST_CURVED and (values > 0).all():
            line = _line(places, values**-power)
            if (line > 0).all():
                yield line ** (-1 / power)

    return fitted


SHAPES = {
    Shape.LINEAR: _lines,
    Shape.EXPONENTIAL: _exponentials,
    Shape.COSINE: _cosines,
    Shape.INVERSE_ROOT: _inverse(2),
    Shape.INVERSE_TIME: _inverse(1),
    Shape.POLYNOMIAL: _polynomials,
}
