"""Keep the state of a training run on disk, and take a killed run up where it was.

What is kept is all that decides what comes next: weights, moving averages, the optimizer's
variables, the random state of dropout and augmentation, and what the callbacks remember. The
order of the images and how they are mixed need no keeping, as (seed, epoch) alone decides it. So
the resumed run ends with the weights of the uninterrupted one.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.pipeline.outputs import replacing

STATE_FILE = "state.npz"
INTERVAL = 5.0  # seconds, at least, between two states
ABOUT = "about"
COUNTING = {".py", ".csv", ".json"}
# What callbacks of Keras remember; ours name it in an attribute `remembered`.
OF_KERAS = {keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter")}


@dataclass(frozen=True)
class State:
    """A run at the beginning of an epoch: arrays of all variables and of the best weights."""

    phase: int = 0
    first_epoch: int = 0  # of the phase
    epochs: int = 0  # finished, in all phases
    variables: list[np.ndarray] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)
    remembered: list[dict[str, Any]] = field(default_factory=list)  # of the callbacks, in order


class Store:
    """The state of one run in a folder whose name tells all that the run depends on."""

    def __init__(self, folder: Path, key: str, *, interval: float = INTERVAL) -> None:
        """Other runs' states below `folder` are deleted: nothing could take them up any more."""
        self.folder, self.interval = folder / key, interval
        for other in folder.glob("*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def read(self) -> State | None:
        """The state that was kept last."""
        try:
            with np.load(self.folder / STATE_FILE, allow_pickle=False) as file:
                about = json.loads(str(file[ABOUT]))
                count, best = about.pop("variables"), about.pop("best_weights")
                arrays = [file[f"{number}"] for number in range(count + best)]
        except FileNotFoundError:
            return None
        return State(**about, variables=arrays[:count], best_weights=arrays[count:])

    def write(self, state: State) -> None:
        """Replace the state; a kill meanwhile leaves the one before."""
        arrays = [*state.variables, *state.best_weights]
        about = vars(state) | {
            "variables": len(state.variables),
            "best_weights": len(state.best_weights),
        }
        with replacing(self.folder / STATE_FILE) as temporary, temporary.open("wb") as file:
            named = {f"{number}": array for number, array in enumerate(arrays)}
            np.savez(file, **named, **{ABOUT: np.array(json.dumps(about))})

    def remove(self) -> None:
        """Forget a run that has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Keeper(keras.callbacks.Callback):
    """Writes the state of a phase at the beginning of its epochs, or begins with the one given.

    It stands after the callback that swaps averaged weights, and after those it keeps the memory
    of.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        best: keras.callbacks.EarlyStopping,
        others: Sequence[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self.store, self.state, self.best = store, state, best
        self.kept = [one for one in (best, *others) if _names(one)]
        self.phase = self.begins = 0
        self.last = time.monotonic()

    def of(self, phase: int, begins: int) -> "Keeper":
        """Itself, for a phase that began with an epoch, counted from 0."""
        self.phase, self.begins = phase, begins
        return self

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Put the given state in place, once."""
        if not self.state.epochs:
            return
        for variable, value in zip(self._variables(), self.state.variables, strict=True):
            variable.assign(value)
        self.best.best_weights = self.state.best_weights or None
        for callback, memory in zip(self.kept, self.state.remembered, strict=True):
            for name, value in memory.items():
                setattr(callback, name, value)
            if hasattr(callback, "resumed"):
                callback.resumed()
        self.state = State()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep what the epochs before have come to."""
        now = time.monotonic()
        if epoch == self.begins or now - self.last < self.store.interval:
            return
        self.last = now
        self.store.write(
            State(
                phase=self.phase,
                first_epoch=self.begins,
                epochs=epoch,
                variables=[keras.ops.convert_to_numpy(one) for one in self._variables()],
                best_weights=self.best.best_weights or [],
                remembered=[_memory(callback) for callback in self.kept],
            )
        )

    def _variables(self) -> list[keras.Variable]:
        self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *self.model.optimizer.variables]


def key(settings: str, folders: Iterable[Path]) -> str:
    """A name for a run that tells settings, folders and library versions apart.

    A folder counts with all code and tables in it.
    """
    digest = hashlib.sha256(f"{settings}{version('keras')}{version('tensorflow')}".encode())
    for path in folders:
        for file in sorted(one for one in path.rglob("*") if one.suffix in COUNTING):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _names(callback: keras.callbacks.Callback) -> Sequence[str]:
    return getattr(callback, "remembered", None) or OF_KERAS.get(type(callback), ())


def _memory(callback: keras.callbacks.Callback) -> dict[str, Any]:
    return {name: _plain(getattr(callback, name)) for name in _names(callback)}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
