"""Several runs side by side: what they reached, how soon, and which to take."""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from trackbed.curves.analysis import Analysis
from trackbed.curves.best_epoch import best
from trackbed.curves.columns import Column, same
from trackbed.curves.fit import Verdict
from trackbed.curves.history import History, scatter
from trackbed.pipeline.errors import UserError

# What runs are compared by, the first that all have: a score is the same for every network, a
# loss holds its regularisation and its smoothing of labels.
PREFERRED = ("macro_f1", "f1", "map50-95", "map_0.5:0.95", "balanced_accuracy", "accuracy", "auc")


class Choice(StrEnum):
    """Why a run is the one to take."""

    BEST_VALUE = "best value"
    FEWEST_PARAMETERS = "fewest parameters"
    SOONEST = "soonest there"


@dataclass(frozen=True)
class Contender:
    """One run by the common quantity. reached: the first epoch to reach the target, and the seconds
    until its end where times are logged. noise: robust standard deviation of the second half
    around its trend, None where too short.
    """

    name: str
    column: str
    epoch: int
    value: float
    last: float
    reached: int
    seconds: float | None
    total_seconds: float | None
    parameters: int | None
    verdicts: tuple[Verdict, ...]
    noise: float | None


@dataclass(frozen=True)
class SideBySide:
    """target: the best value of the run that reached least, which every run reached.

    order: places of the contenders, best value first. chosen: the place of the run to take; even:
    places of the runs whose value is within the noise of the best one; because: why, of those
    even with the best.
    """

    quantity: str
    lower_is_better: bool
    target: float
    contenders: tuple[Contender, ...]
    order: tuple[int, ...]
    chosen: int
    even: tuple[int, ...]
    because: Choice


def side_by_side(
    histories: list[History], analyses: list[Analysis], monitor: str | None = None
) -> SideBySide | None:
    """Compare runs by `monitor`, else by what all have; None where they have nothing in common.

    Raises UserError if a run has no `monitor`.
    """
    columns = _common(histories, monitor)
    if columns is None:
        return None
    sign = columns[0].sign
    bests = [best(one, column) for one, column in zip(histories, columns, strict=True)]
    target = sign * max(sign * one.value for one in bests)
    contenders = tuple(
        _contender(history, analysis, column, target)
        for history, analysis, column in zip(histories, analyses, columns, strict=True)
    )
    order = sorted(range(len(contenders)), key=lambda place: sign * contenders[place].value)
    chosen, even, because = _choice(contenders, order)
    return SideBySide(
        quantity=columns[0].quantity,
        lower_is_better=columns[0].lower_is_better,
        target=target,
        contenders=contenders,
        order=tuple(order),
        chosen=chosen,
        even=even,
        because=because,
    )


def _common(histories: list[History], monitor: str | None) -> list[Column] | None:
    if monitor is not None:
        return [history.column(monitor) for history in histories]
    there = [[*h.of("metric", "validation"), *h.of("loss", "validation")] for h in histories]
    ranked = sorted(there[0], key=_rank)
    for column in ranked:
        others = [
            next((other for other in columns if same(other.quantity, column.quantity)), None)
            for columns in there
        ]
        if all(others):
            return [other for other in others if other]
    return None


def _rank(column: Column) -> int:
    names = [place for place, name in enumerate(PREFERRED) if name in column.quantity.lower()]
    return min(names, default=len(PREFERRED)) + 100 * column.lower_is_better


def _contender(history: History, analysis: Analysis, column: Column, target: float) -> Contender:
    values = history.finite(column.name)
    found = best(history, column)
    reached = int(values.index[column.sign * (values - target) <= 0][0])
    noise = scatter(values.iloc[len(values) // 2 :])
    return Contender(
        name=history.name,
        column=column.name,
        epoch=found.epoch,
        value=found.value,
        last=found.last,
        reached=reached,
        seconds=_seconds(history.seconds, reached),
        total_seconds=analysis.timing.total if analysis.timing else None,
        parameters=analysis.parameters,
        verdicts=analysis.verdicts,
        noise=noise if noise == noise else None,
    )


def _seconds(seconds: pd.Series | None, epoch: int) -> float | None:
    return None if seconds is None else float(seconds[seconds.index <= epoch].sum())


def _choice(
    contenders: tuple[Contender, ...], order: list[int]
) -> tuple[int, tuple[int, ...], Choice]:
    """Of the runs whose best value lies within the noise of the best, the smallest network, else
    the soonest there. A best value is one epoch's, which noise makes better than it is.
    """
    first = contenders[order[0]]
    even = tuple(
        place
        for place in order
        if abs(contenders[place].value - first.value)
        <= max(first.noise or 0.0, contenders[place].noise or 0.0)
    )
    if len(even) == 1:
        return order[0], even, Choice.BEST_VALUE
    parameters = {place: contenders[place].parameters for place in even}
    known = [count for count in parameters.values() if count is not None]
    if len(known) == len(even) and len(set(known)) > 1:
        return min(even, key=lambda place: parameters[place] or 0), even, Choice.FEWEST_PARAMETERS
    times = {place: contenders[place].seconds for place in even}
    if all(seconds is not None for seconds in times.values()):
        return min(even, key=lambda place: times[place] or 0.0), even, Choice.SOONEST
    return order[0], even, Choice.BEST_VALUE


def refuse_twice(names: list[str]) -> None:
    """Raises UserError if a log is given twice."""
    if double := {name for name in names if names.count(name) > 1}:
        raise UserError(f"{min(double)}: given twice.")
