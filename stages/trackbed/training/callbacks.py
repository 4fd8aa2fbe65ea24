"""Keras callbacks that keep the best weights, lower the learning rate and refuse divergence."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from trackbed.pipeline.errors import Diverged
from trackbed.training.early_stopping import Observer, mode


def averaging(optimizer: keras.optimizers.Optimizer) -> list[keras.callbacks.Callback]:
    """A callback that validates and keeps the averaged weights, if the optimizer averages them.

    Its place is before the callback that keeps the best weights.
    """
    return [SwapAverages(swap_on_epoch=True)] if optimizer.use_ema else []


class SwapAverages(keras.callbacks.SwapEMAWeights):
    """Exchanges weights and averages of an optimizer that has both as vectors, see optimizers.

    In one compiled function and without rounding; Keras exchanges variable by variable, by sums.
    """

    def _swap_variables(self) -> None:
        self._optimizer().exchange_averages()

    def _finalize_ema_values(self) -> None:
        optimizer = self._optimizer()
        optimizer.collect()
        super()._finalize_ema_values()
        optimizer.distribute()

    def _optimizer(self) -> Any:
        return getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)


class Observed(keras.callbacks.Callback):
    """Hands what Keras reports to an observer, which needs no Keras.

    The logs of an epoch have the learning rate, too. What the observer names in `remembered` is
    kept in the state of the training.
    """

    remembered = ("memory",)

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self.observer = observer

    @property
    def memory(self) -> dict[str, Any]:
        """What the observer remembers, by name."""
        return {name: getattr(self.observer, name) for name in self.observer.remembered}

    @memory.setter
    def memory(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self.observer, name, value)

    def resumed(self) -> None:
        """The observer has its memory of a killed run."""
        self.observer.resumed()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass it on."""
        self.observer.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass it on."""
        self.observer.on_train_batch_end(batch)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Pass it on."""
        self.observer.on_test_begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass it on, with the learning rate."""
        rate = float(self.model.optimizer.learning_rate)
        self.observer.on_epoch_end(epoch, logs | {"learning_rate": rate})


class RawWeights(keras.callbacks.Callback):
    """The weights of the last epoch before they were averaged, to compare both.

    Its place is before the callback that swaps averaged weights at the end of an epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[np.ndarray] = []
        self.averaged: dict[str, float] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the weights, and the validation scores of the averaged ones."""
        self.weights = self.model.get_weights()
        self.averaged = {name: value for name, value in logs.items() if name.startswith("val_")}

    def scores(self, validation: Any) -> dict[str, dict[str, float]]:
        """Loss and scores on the validation batches: 'raw' and 'averaged', or {}.

        The model keeps the weights that it has.
        """
        if not self.weights:
            return {}
        kept = self.model.get_weights()
        self.model.set_weights(self.weights)
        raw = self.model.evaluate(validation, return_dict=True, verbose=0)
        self.model.set_weights(kept)
        return {
            "averaged": {name: float(value) for name, value in self.averaged.items()},
            "raw": {f"val_{name}": float(value) for name, value in raw.items()},
        }


def with_comparable(logs: dict[str, Any] | None, monitor: str) -> dict[str, Any] | None:
    """The logs of an epoch; a monitored value that is not finite becomes the worst there is.

    Keras takes the first value for the best so far, and no number is better than NaN.
    """
    if not logs or monitor not in logs or math.isfinite(logs[monitor]):
        return logs
    return logs | {monitor: math.inf if mode(monitor) == "min" else -math.inf}


class Plateau(keras.callbacks.ReduceLROnPlateau):
    """Lowers the learning rate when the monitored value does not improve."""

    remembered = ("best", "wait", "cooldown_counter")

    def __init__(self, monitor: str, factor: float, patience: int) -> None:
        super().__init__(monitor, factor=factor, patience=patience, mode=mode(monitor))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Count epochs without improvement; a value that is not finite is none."""
        super().on_epoch_end(epoch, with_comparable(logs, self.monitor))


class Best(keras.callbacks.EarlyStopping):
    """Early stopping with the best weights of several phases.

    Epochs before the `earliest`, counted from 0, do not count as epochs without improvement.
    """

    remembered = ("best", "best_epoch", "wait", "epochs")

    def __init__(self, monitor: str, patience: int, earliest: int = 0) -> None:
        super().__init__(
            monitor,
            patience=patience,
            mode=mode(monitor),
            restore_best_weights=True,
        )
        self.epochs, self.earliest = 0, earliest
        self.kept: tuple[Any, int, Any] = (None, 0, None)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a phase with the best value and weights of the earlier phases."""
        super().on_train_begin(logs)
        self.best, self.best_epoch, self.best_weights = self.kept

    def resumed(self) -> None:
        """Continue from the restored state."""
        self.kept = (self.best, self.best_epoch, self.best_weights)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the epoch and keep its weights if they are the best."""
        self.epochs = epoch + 1
        if epoch < self.earliest:
            self.wait = -1  # Keras adds 1, or sets it to 0
        super().on_epoch_end(epoch, with_comparable(logs, self.monitor))
        self.kept = (self.best, self.best_epoch, self.best_weights)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the best weights. Raises Diverged if no epoch has a finite monitored value."""
        super().on_train_end(logs)
        if self.best is not None and not math.isfinite(self.best):
            raise Diverged(
                f"{self.monitor} was no finite number in any epoch; lower train.learning_rate."
            )

    @contextmanager
    def restored_on_divergence(self) -> Iterator[None]:
        """Restore the best weights if the block raises Diverged, and raise it again."""
        try:
            yield
        except Diverged:
            if self.kept[2] is not None:
                self.model.set_weights(self.kept[2])
            raise


class RefuseDivergence(keras.callbacks.Callback):
    """Raises Diverged as soon as a loss, another logged value or a weight is not finite.

    Keras' TerminateOnNaN stops without an error, and the run would count as a success. The place
    of this callback is before the one that keeps the best weights, which must not keep these.
    """

    epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch for the message."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the mean loss of the epoch so far."""
        self._refuse(logs["loss"], f"batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Check all values of the epoch, and the weights, which the loss does not show."""
        for name, value in logs.items():
            self._refuse(value, "validation" if name.startswith("val_") else "its end", name)
        for weight in self.model.weights:
            if weight.dtype.startswith(("float", "bfloat")):
                # The sum is finite only if all weights are; it overflows where they are useless.
                self._refuse(float(keras.ops.sum(keras.ops.abs(weight))), "its end", weight.path)

    def _refuse(self, value: float, where: str, name: str = "loss") -> None:
        if not math.isfinite(value):
            raise Diverged(
                f"{name} became {value} at epoch {self.epoch + 1}, {where}; "
                "lower train.learning_rate."
            )
