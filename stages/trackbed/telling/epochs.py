"""The epochs of a run as a table: every value, the best ones marked."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = {
    "train/loss": "Training loss",
    "val/loss": "Validation loss",
    "train/accuracy": "Training accuracy",
    "val/accuracy": "Validation accuracy",
    "train/macro_f1": "Training macro F1",
    "val/macro_f1": "Validation macro F1",
    "learning_rate": "Learning rate",
    "seconds": "Seconds",
}
LOW_IS_GOOD = ("train/loss", "val/loss")
UNJUDGED = ("learning_rate", "seconds")
FEW = 15  # so many epochs are all shown
SPREAD = 8  # of more, about so many at equal distances


@dataclass(frozen=True)
class Epoch:
    """A row: values in the order of COLUMNS, whether each is the best of its column; whether the
    weights of this epoch are kept; whether the collapsed table shows it."""

    number: int
    values: tuple[float, ...]
    best: tuple[bool, ...]
    kept: bool
    shown: bool


def rows(history: pd.DataFrame, best_epoch: int | None) -> list[Epoch]:
    """All epochs. history: see curves.read; of equal best values the first is marked."""
    table = history[list(COLUMNS)]
    marks = {name: best(table[name], low=name in LOW_IS_GOOD) for name in COLUMNS}
    marks |= dict.fromkeys(UNJUDGED)
    shown = interesting(table.index, best_epoch, [mark for mark in marks.values() if mark])
    return [
        Epoch(
            number=int(epoch),
            values=tuple(values),
            best=tuple(epoch == mark for mark in marks.values()),
            kept=epoch == best_epoch,
            shown=epoch in shown,
        )
        for epoch, values in zip(table.index, table.to_numpy(), strict=True)
    ]


def best(values: pd.Series, *, low: bool) -> int | None:
    """The epoch of the best finite value, the first of equal ones; None without any."""
    finite = values[np.isfinite(values)]
    if finite.empty:
        return None
    return int(finite.idxmin() if low else finite.idxmax())


def interesting(epochs: pd.Index, best_epoch: int | None, marked: list[int]) -> set[int]:
    """The first, the last, the kept one with its neighbours, the marked, and some in between."""
    if len(epochs) <= FEW:
        return set(epochs)
    places = np.linspace(0, len(epochs) - 1, SPREAD).round().astype(int)
    chosen = {*epochs[places], *marked}
    if best_epoch is not None:
        chosen |= {best_epoch - 1, best_epoch, best_epoch + 1}
    return chosen & set(epochs)
