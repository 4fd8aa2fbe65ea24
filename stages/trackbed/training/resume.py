"""Keep the state of a training run on disk, and resume a killed run from it.

The state is all that decides the rest of the run: weights, moving averages, the optimizer's
variables, the random state of dropout and augmentation, and the memory of the callbacks. The
order of the images and the way they are mixed are not in it: (seed, epoch) alone decides them.
The resumed run therefore ends with the weights of an uninterrupted one.
"""

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.pipeline.outputs import replacing
from trackbed.training.train_params import TrainParams

STATE_FILE = "state.npz"
INTERVAL = 5.0  # seconds, at least, between two states
ABOUT = "about"
# The folders of this package that `train` tracks in dvc.yaml.
CODE_FOLDERS = ("networks", "pipeline", "records", "training")
CODE_AND_TABLES = {".py", ".csv", ".json"}


@dataclass(frozen=True)
class State:
    """A run at the start of an epoch: arrays of all variables and of the best weights."""

    phase: int = 0
    first_epoch: int = 0  # of the phase
    epochs: int = 0  # finished, in all phases
    variables: list[np.ndarray] = field(default_factory=list)
    best_weights: list[np.ndarray] = field(default_factory=list)
    remembered: list[dict[str, Any]] = field(default_factory=list)  # of the callbacks, in order


class Store:
    """The state of one run, in a folder named by a digest of all that the run depends on."""

    def __init__(self, folder: Path, key: str, *, interval: float = INTERVAL) -> None:
        """Delete the states of other runs below `folder`; no run can resume them any more."""
        self.folder, self.interval = folder / key, interval
        for other in folder.glob("*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def read(self) -> State | None:
        """The last state written, None if there is none or it is damaged."""
        try:
            with np.load(self.folder / STATE_FILE, allow_pickle=False) as file:
                about = json.loads(str(file[ABOUT]))
                count, best = about.pop("variables"), about.pop("best_weights")
                arrays = [file[f"{number}"] for number in range(count + best)]
        except FileNotFoundError:
            return None
        except (zipfile.BadZipFile, EOFError, KeyError, ValueError) as error:
            print(f"{self.folder / STATE_FILE}: damaged ({error}); the training starts anew")
            return None
        return State(**about, variables=arrays[:count], best_weights=arrays[count:])

    def write(self, state: State) -> None:
        """Replace the state; a kill meanwhile leaves the previous one."""
        arrays = [*state.variables, *state.best_weights]
        about = vars(state) | {
            "variables": len(state.variables),
            "best_weights": len(state.best_weights),
        }
        with replacing(self.folder / STATE_FILE) as temporary, temporary.open("wb") as file:
            named = {f"{number}": array for number, array in enumerate(arrays)}
            np.savez(file, **named, **{ABOUT: np.array(json.dumps(about))})

    def remove(self) -> None:
        """Delete the state of a finished run."""
        shutil.rmtree(self.folder, ignore_errors=True)


class KeepState(keras.callbacks.Callback):
    """Writes the state at the start of every epoch, and restores a given one.

    Its place is after the callback that swaps averaged weights, and after those whose memory it
    keeps.
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
        self.phase = self.first_epoch = 0
        self.written = time.monotonic()

    def of(self, phase: int, first_epoch: int) -> "KeepState":
        """This callback, for a phase and its first epoch, both counted from 0."""
        self.phase, self.first_epoch = phase, first_epoch
        return self

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the given state, once."""
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
        """Write the state, unless the last one is too recent."""
        now = time.monotonic()
        if epoch == self.first_epoch or now - self.written < self.store.interval:
            return
        self.written = now
        self.store.write(
            State(
                phase=self.phase,
                first_epoch=self.first_epoch,
                epochs=epoch,
                variables=[keras.ops.convert_to_numpy(one) for one in self._variables()],
                best_weights=self.best.best_weights or [],
                remembered=[_memory(callback) for callback in self.kept],
            )
        )

    def _variables(self) -> list[keras.Variable]:
        self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.variables, *self.model.optimizer.variables]


def store(folder: Path, p: TrainParams, inputs: Iterable[Path]) -> Store:
    """The store of the run with these parameters, inputs (files or folders) and today's code."""
    paths = [*inputs, *code_folders(Path(__file__).parents[1])]
    return Store(folder, key(p.model_dump_json(exclude={"resume"}), paths))


def code_folders(package: Path) -> list[Path]:
    """The folders of this package whose code a training run depends on."""
    return [package / name for name in CODE_FOLDERS]


def key(settings: str, paths: Iterable[Path]) -> str:
    """A digest of settings, library versions, and the code and tables of files and folders."""
    digest = hashlib.sha256(f"{settings}{version('keras')}{version('tensorflow')}".encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix in CODE_AND_TABLES:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _names(callback: keras.callbacks.Callback) -> Sequence[str]:
    """The attributes that a callback names in `remembered`."""
    return getattr(callback, "remembered", ())


def _memory(callback: keras.callbacks.Callback) -> dict[str, Any]:
    return {name: _plain(getattr(callback, name)) for name in _names(callback)}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
