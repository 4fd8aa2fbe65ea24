"""The best epoch of a run, and whether the run was stopped early."""

import itertools
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from trackbed.curves.columns import Column, same
from trackbed.curves.history import History
from trackbed.pipeline.errors import UserError

SHORT = 3  # a patience below is rare
ROUND = 5  # planned numbers of epochs are often multiples of it


class Stopped(StrEnum):
    """Whether early stopping ended a run."""

    YES = "yes"
    NO = "no"
    LIKELY = "likely"
    OPEN = "open"


class StopReason(StrEnum):
    """The rule that gave the answer."""

    RECORDED = "recorded"
    PATIENCE = "patience given"
    COMPLETE = "ran all epochs that were planned"
    SHORT_OF_PLAN = "ended before the epochs that were planned"
    WOULD_HAVE_STOPPED = "would have stopped before"
    WAITED_LONGER = "waited longer before"
    LONGEST_WAIT = "ends after its longest wait"
    ROUND_NUMBER = "ends on a round number of epochs"
    SOON = "ends soon after its best"


@dataclass(frozen=True)
class Stop:
    """Whether early stopping ended the run. patience: the epochs it waited, known or implied.

    planned: the number of epochs it was to run, if the log tells.
    """

    verdict: Stopped
    patience: int | None
    because: StopReason
    planned: int | None = None


@dataclass(frozen=True)
class Best:
    """The best epoch by one column: the first of those with the best value.

    tied: all epochs with that value. so_far: epochs that were better than every one before.
    last_epoch: the last with a finite value, run_end: the last of the run. others: the other losses
    and scores at the best epoch. worse_by: how much worse the last value is, from 0. longest_wait:
    most epochs without improvement before one came.
    """

    column: str
    lower_is_better: bool
    epoch: int
    value: float
    tied: tuple[int, ...]
    so_far: tuple[int, ...]
    last_epoch: int
    run_end: int
    last: float
    worse_by: float
    epochs_since: int
    longest_wait: int
    stop: Stop
    others: dict[str, float]


def monitored(history: History, name: str | None = None) -> Column | None:
    """The column that best epochs go by: `name`, else what the log says it monitored, else the
    validation loss, else the first of validation losses, validation scores, training losses.

    Raises UserError for a name that the history has not, or that has no finite value.
    """
    if name is not None:
        if empty := next((one for one in without_values(history) if same(one.name, name)), None):
            raise UserError(
                f"{history.name}: '{empty.name}' is not a finite number in any epoch, so no epoch "
                "is the best by it. Monitor another column."
            )
        return history.column(name)
    logged = str(history.facts.get("monitor", ""))
    for column in [*history.of("loss"), *history.of("metric")]:
        if same(column.name, logged):
            return column
    validation = history.of("loss", "validation")
    whole = [column for column in validation if column.quantity == "loss"]
    candidates = [*whole, *validation, *history.of("metric", "validation")]
    candidates += [*history.of("loss", "train"), *history.of("metric", "train")]
    candidates += [*history.of("loss"), *history.of("metric")]
    return candidates[0] if candidates else None


def without_values(history: History) -> list[Column]:
    """The losses and scores of training and validation without any finite value."""
    return [
        column
        for column in history.columns
        if column.role in ("loss", "metric")
        and column.part != "test"
        and history.finite(column.name).empty
    ]


def best(
    history: History, column: Column, patience: int | None = None, *, alone: bool = False
) -> Best:
    """The best epoch by `column`, which has a finite value.

    patience: of early stopping; alone: without the values of the other columns.
    """
    values = history.finite(column.name)
    signed = column.sign * values
    # cummin is the best so far; an equal value later is no improvement, as in Keras.
    before = signed.cummin().shift(1, fill_value=float("inf"))
    so_far = tuple(int(epoch) for epoch in values.index[signed < before])
    epoch, last_epoch = so_far[-1], int(values.index[-1])
    waits = [second - first - 1 for first, second in itertools.pairwise(so_far)]
    longest, since = max(waits, default=0), last_epoch - epoch
    tied = tuple(int(one) for one in values.index[values == values[epoch]])
    return Best(
        column=column.name,
        lower_is_better=column.lower_is_better,
        epoch=epoch,
        value=float(values[epoch]),
        tied=tied,
        so_far=so_far,
        last_epoch=last_epoch,
        run_end=int(history.table.index[-1]),
        last=float(values.iloc[-1]),
        worse_by=float(signed.iloc[-1] - signed[epoch]),
        epochs_since=since,
        longest_wait=longest,
        stop=stop(history, since, longest, patience),
        others={} if alone else _others(history, column, epoch),
    )


def others(history: History, column: Column) -> tuple[Best, ...]:
    """The best epoch by every other validation column."""
    scored = history.of("loss", "validation") + history.of("metric", "validation")
    return tuple(best(history, other, alone=True) for other in scored if other != column)


def stop(history: History, since: int, longest: int, patience: int | None) -> Stop:
    """Early stopping with patience p ends a run p epochs after its best one, and lives through
    every shorter wait. So a run that once waited as long as it did at its end was not stopped by
    it; and a run that was had a patience of exactly the epochs since its best.

    The log's own word, a given patience and the planned number of epochs go first. A total that is
    a multiple of ROUND may be a planned end, and fewer than SHORT epochs say little: both leave it
    open (conventions).
    """
    patience = patience if patience is not None else history.facts.get("patience")
    planned, end = history.facts.get("planned_epochs"), int(history.table.index[-1])
    recorded = history.facts.get("stopped_early")
    if recorded is not None:
        waited = since if patience is None and recorded else patience
        return Stop(Stopped.YES if recorded else Stopped.NO, waited, StopReason.RECORDED, planned)
    if planned is not None and end >= planned:
        return Stop(Stopped.NO, patience, StopReason.COMPLETE, planned)
    if patience is not None:
        return _with_patience(since, longest, patience, planned)
    if since <= longest:
        return Stop(Stopped.NO, None, StopReason.WAITED_LONGER, planned)
    if planned is not None:
        return Stop(Stopped.LIKELY, since, StopReason.SHORT_OF_PLAN, planned)
    if end % ROUND == 0:
        return Stop(Stopped.OPEN, since, StopReason.ROUND_NUMBER)
    if since < SHORT:
        return Stop(Stopped.OPEN, since, StopReason.SOON)
    return Stop(Stopped.LIKELY, since, StopReason.LONGEST_WAIT)


def _with_patience(since: int, longest: int, patience: int, planned: int | None) -> Stop:
    """A patience of 0 ends a run after the same epoch as one of 1, as in Keras."""
    waits = max(1, patience)
    if longest >= waits:
        return Stop(Stopped.NO, patience, StopReason.WOULD_HAVE_STOPPED, planned)
    verdict = Stopped.YES if since >= waits else Stopped.NO
    return Stop(verdict, patience, StopReason.PATIENCE, planned)


def _others(history: History, column: Column, epoch: int) -> dict[str, float]:
    row: pd.Series = history.table.loc[epoch]
    scored = [*history.of("loss"), *history.of("metric")]
    return {other.name: float(row[other.name]) for other in scored if other != column}
