"""Save and load models; equal models give equal files, byte for byte."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trackbed.pipeline.errors import Diverged, UserError
from trackbed.pipeline.outputs import replacing_folder, write_json
from trackbed.training import keras_archive

if TYPE_CHECKING:
    import keras

MODEL_FILE = "model.keras"
CLASSES_FILE = "classes.json"


class Network(Protocol):
    """A network in training."""

    def weights(self) -> Sequence[np.ndarray]:
        """The weights that are trained, with others or without."""

    def save(self, folder: Path) -> None:
        """Write the network into a folder as MODEL_FILE."""


def save(folder: Path, model: keras.Model, classes: list[str]) -> None:
    """Write model.keras and classes.json."""
    save_network(folder, model)
    write_classes(folder, classes)


def save_network(folder: Path, model: keras.Model) -> None:
    """Write model.keras; equal models give equal files."""
    written = folder / f".{MODEL_FILE}"
    model.save(written)
    keras_archive.write(folder / MODEL_FILE, keras_archive.entries(written))
    written.unlink()


def write_classes(folder: Path, classes: list[str]) -> None:
    """Write classes.json, the names of a model's outputs in their order."""
    write_json(folder / CLASSES_FILE, {"classes": classes})


@contextmanager
def kept_on_divergence(folder: Path, network: Network, classes: list[str]) -> Iterator[None]:
    """If the block raises Diverged, save the model to a folder and name the folder in the message.

    A model whose weights are not finite, because no epoch was finished, is not saved.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except Diverged as problem:
        if not all(np.isfinite(weight).all() for weight in network.weights()):
            raise
        with replacing_folder(folder) as temporary:
            network.save(temporary)
            write_classes(temporary, classes)
        raise Diverged(f"{problem} The best weights before that are kept in {folder}.") from None


def load(folder: Path) -> tuple[keras.Model, list[str]]:
    """The model of a folder and the names of its classes; code in the file is not run.

    Raises UserError if there is no model or it cannot be loaded.
    """
    import keras

    try:
        model = keras.models.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
        return model, json.loads((folder / CLASSES_FILE).read_text("utf-8"))["classes"]
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{folder}: no loadable model ({reason}). Run `dvc repro train`."
        ) from error
