"""The seconds of the epochs of Keras' fit."""

import time
from typing import Any


def clock() -> Any:
    """A callback with the seconds of every epoch: `training`, and `whole` with validation."""
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.training: list[float] = []
            self.whole: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.begun = time.perf_counter()

        def on_test_begin(self, logs: object = None) -> None:
            self.training.append(time.perf_counter() - self.begun)

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.whole.append(time.perf_counter() - self.begun)

    return Clock()
