"""Load every exported format in its own runtime and compare it with the trained model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackbed.exporting import parity
from trackbed.exporting.parity import Parity, Reference
from trackbed.inference import exported_model, other_runtimes
from trackbed.pipeline.errors import UserError

SOURCE = Path(__file__).parents[2]  # where Python finds this package
WORK = Path(".cache/export")  # in a fixed place: what a killed run left goes with the next one


def check(
    folder: Path, formats: Iterable[str], images: np.ndarray, reference: Reference
) -> tuple[dict[str, Parity], dict[str, list[float]]]:
    """The comparison of each format, and its CPU milliseconds per image alone and in a batch.

    images: uint8, shape (images, side, side, 3), those of the reference. Raises UserError where a
    runtime cannot load or run its file, and where a format misses its limits.
    """
    onnx_bytes = _size(folder / exported_model.MODEL_FILE)
    found, milliseconds = {}, {}
    with _empty_folder(WORK) as work:
        np.save(work / "images.npy", images)
        for one in (other_runtimes.ONNX, *formats):
            place = other_runtimes.PLACES.get(one, exported_model.MODEL_FILE)
            result = _run(one, folder, work)
            size = _size((folder / place).parent if one == "openvino" else folder / place)
            found[one] = reference.parity(result["probabilities"], size, onnx_bytes)
            milliseconds[one] = result["milliseconds"].tolist()
    refuse_misses(found)
    return found, milliseconds


@contextmanager
def _empty_folder(path: Path) -> Iterator[Path]:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def reference(
    probabilities: np.ndarray, rows: pd.DataFrame, description: Mapping[str, Any]
) -> Reference:
    """The answers of the trained model for some rows of the index.

    probabilities: float, shape (rows, classes). description: of the exported model, with
    calibrated, temperature and refusal_threshold.
    """
    return Reference(
        probabilities,
        rows["label"].to_numpy(),
        rows["group"].to_numpy(),
        description["refusal_threshold"],
        description["temperature"] if description["calibrated"] else None,
    )


def refuse_misses(found: Mapping[str, Parity]) -> None:
    """Raise UserError, with a line per format that misses its limits."""
    lines = [
        f"{name} answers differently from the trained model on {each.images} test images: "
        f"{'; '.join(missed)}.{_remedy(name)}"
        for name, each in found.items()
        if (missed := list(parity.misses(each, parity.limits(name))))
    ]
    if lines:
        raise UserError("\n".join(lines))


def _remedy(name: str) -> str:
    if name == other_runtimes.ONNX:
        return " Try the locked versions of tf2onnx and onnxruntime (`make install`)."
    return " Leave it out of params.yaml, export.formats, or take one of more precision."


def _run(name: str, folder: Path, work: Path) -> Mapping[str, np.ndarray]:
    result = work / "result.npz"
    arguments = name, folder, work / "images.npy", result
    command = [sys.executable, "-m", "trackbed.exporting.format_run", *map(str, arguments)]
    places = os.pathsep.join(filter(None, [f"{SOURCE}", os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": places, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONIOENCODING"] = "utf-8"
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = (lines or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"{folder}: the runtime of {name} cannot run the exported model: {reason}")
    with np.load(result) as stored:
        found = dict(stored)
    if not found["without_tensorflow"] and name != "saved_model":
        raise RuntimeError(f"the runtime of {name} imported TensorFlow")
    return found


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)
