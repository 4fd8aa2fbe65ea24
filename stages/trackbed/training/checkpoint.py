"""Save and load models; equal models give equal files, byte for byte."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trackbed.pipeline.errors import Diverged, UserError
from trackbed.pipeline.outputs import (
    EARLIEST_DATE,
    replacing,
    replacing_folder,
    write_json,
)

MODEL_FILE = "model.keras"
CLASSES_FILE = "classes.json"


def save(folder: Path, model: keras.Model, classes: list[str]) -> None:
    """Write model.keras and classes.json, the names of the model's outputs in their order.

    Keras writes the date, zip times and memory addresses (`shared_object_id`) into a `.keras`
    file; they are left out here, so that equal models give equal files.
    """
    written = folder / f".{MODEL_FILE}"
    model.save(written)
    with replacing(folder / MODEL_FILE) as temporary:
        _canonical(written, temporary)
    written.unlink()
    write_json(folder / CLASSES_FILE, {"classes": classes})


@contextmanager
def kept_on_divergence(folder: Path, model: keras.Model, classes: list[str]) -> Iterator[None]:
    """If the block raises Diverged, save the model to a folder and name the folder in the message.

    A model whose weights are not finite, because no epoch was finished, is not saved.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except Diverged as problem:
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise
        with replacing_folder(folder) as temporary:
            save(temporary, model, classes)
        raise Diverged(f"{problem} The best weights before that are kept in {folder}.") from None


def load(folder: Path) -> tuple[keras.Model, list[str]]:
    """The model of a folder and the names of its classes; code in the file is not run.

    Raises UserError if there is no model or it cannot be loaded.
    """
    try:
        model = keras.models.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
        return model, json.loads((folder / CLASSES_FILE).read_text("utf-8"))["classes"]
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{folder}: no loadable model ({reason}). Run `dvc repro train`."
        ) from error


def _canonical(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as canonical:
        for name in sorted(given.namelist()):
            data = given.read(name)
            if name == "metadata.json":
                metadata = json.loads(data)
                metadata.pop("date_saved", None)
                data = _text(metadata)
            elif name == "config.json":
                data = _text(_renumbered(json.loads(data), {}))
            canonical.writestr(zipfile.ZipInfo(name, EARLIEST_DATE), data)


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


def _renumbered(value: Any, numbers: dict[int, int]) -> Any:
    """The same configuration with object ids replaced by their order of appearance."""
    if isinstance(value, list):
        return [_renumbered(inner, numbers) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        key: numbers.setdefault(inner, len(numbers))
        if key == "shared_object_id"
        else _renumbered(inner, numbers)
        for key, inner in value.items()
    }
