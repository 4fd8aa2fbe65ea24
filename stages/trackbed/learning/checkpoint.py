"""Keep a model in a file that is the same for the same model, byte by byte."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras

from trackbed.outputs import replacing, write_json
from trackbed.problems import Problem

MODEL_FILE = "model.keras"
CLASSES_FILE = "classes.json"
# The earliest date a zip archive can hold.
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def save(folder: Path, model: keras.Model, classes: list[str]) -> None:
    """Write model.keras and classes.json, the names of its outputs in their order.

    Keras puts the date, the zip clocks and memory addresses (`shared_object_id`) into a
    `.keras` file; here they are left out, so that equal models are equal files.
    """
    written = folder / f".{MODEL_FILE}"
    model.save(written)
    with replacing(folder / MODEL_FILE) as temporary:
        _canonical(written, temporary)
    written.unlink()
    write_json(folder / CLASSES_FILE, {"classes": classes})


def load(folder: Path) -> tuple[keras.Model, list[str]]:
    """The model of a folder and the names of its classes; no code from the file is run.

    Raises Problem if there is none that can be loaded.
    """
    try:
        model = keras.models.load_model(folder / MODEL_FILE, compile=False, safe_mode=True)
        return model, json.loads((folder / CLASSES_FILE).read_text("utf-8"))["classes"]
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise Problem(f"{folder}: no loadable model ({reason}). Run `dvc repro train`.") from error


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
            canonical.writestr(zipfile.ZipInfo(name, FIXED_DATE), data)


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
