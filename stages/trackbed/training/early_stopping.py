"""Which epoch of a training is the best, when training ends, and when the learning rate falls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Logs = Mapping[str, float]
"""Losses, scores and learning rate of an epoch by name, as Keras calls them."""

LEAST_CHANGE = 1e-4  # that counts as an improvement for the learning rate, as in Keras


@dataclass(frozen=True)
class Outcome:
    """The epoch whose weights the network has, and how many epochs ran; both count from 1.

    last_epoch: validation loss and scores of the last epoch with 'averaged' and with 'raw'
    weights, {} where the weights are not averaged.
    """

    best_epoch: int
    epochs: int
    stopped_early: bool
    last_epoch: dict[str, dict[str, float]] = field(default_factory=dict)


class Observer:
    """Follows a training, epoch by epoch; epochs and batches count from 0.

    remembered: names of the attributes that belong to the state of a training.
    """

    remembered: tuple[str, ...] = ()

    def resumed(self) -> None:
        """The attributes are those of a killed run, which goes on."""

    def on_epoch_begin(self, epoch: int) -> None:
        """An epoch begins."""

    def on_train_batch_end(self, batch: int) -> None:
        """A batch of the epoch is done."""

    def on_test_begin(self) -> None:
        """The validation of the epoch begins."""

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """The epoch has ended with these losses, scores and learning rate."""


def mode(monitor: str) -> Literal["min", "max"]:
    """Whether lower or higher values of a monitored quantity are better."""
    return "min" if monitor.endswith("loss") else "max"


def is_better(monitor: str, value: float, other: float, least: float = 0.0) -> bool:
    """Whether a monitored value is better than another by more than `least`."""
    return value < other - least if mode(monitor) == "min" else value > other + least


class BestEpoch:
    """The best epoch so far, counted from 0, and whether `patience` epochs brought no better one.

    Of equal values the first is the best.
    """

    def __init__(self, monitor: str, patience: int) -> None:
        self.monitor, self.patience = monitor, patience
        self.logs: Logs = {}
        self.epoch, self.epochs, self.stopped = 0, 0, False

    def add(self, logs: Logs) -> bool:
        """Count an epoch; whether it is the best so far."""
        first, self.epochs = not self.epochs, self.epochs + 1
        if first or is_better(self.monitor, logs[self.monitor], self.logs[self.monitor]):
            self.logs, self.epoch = dict(logs), self.epochs - 1
            return True
        self.stopped = self.epochs - 1 - self.epoch >= self.patience
        return False


class RateFactor:
    """Factor on the learning rate that falls when the monitored value does not improve."""

    def __init__(self, monitor: str, factor: float, patience: int) -> None:
        self.monitor, self.factor, self.patience = monitor, factor, patience
        self.value, self.wait = 1.0, 0
        self.best: float | None = None

    def add(self, logs: Logs) -> None:
        """Count an epoch."""
        found = logs[self.monitor]
        if self.best is None or is_better(self.monitor, found, self.best, LEAST_CHANGE):
            self.best, self.wait = found, 0
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.value, self.wait = self.value * self.factor, 0
