"""An exported model in ONNX Runtime: pixels in, probabilities and embeddings out.

Needs NumPy and ONNX Runtime alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackbed.inference import description_check
from trackbed.pipeline.errors import Damaged, UserError

if TYPE_CHECKING:
    import onnxruntime

MODEL_FILE = "model.onnx"
DESCRIPTION_FILE = "model.json"
HEAD_FILE = "head.npz"
FORMAT = 1  # of the description; another number means other keys
REMEDY = "Run `dvc repro export`."

IMAGES = "images"  # the input
# The outputs. All models have the first two.
PROBABILITIES = "probabilities"
EMBEDDING = "embedding"  # what the head gets: pooled features, or the last hidden layer
FEATURES = "features"  # the map that is pooled


@dataclass(frozen=True)
class ExportedModel:
    """A folder that stage `export` wrote; one object serves any number of threads.

    description: the content of model.json, see docs/export.md.
    """

    folder: Path
    description: dict[str, Any]
    session: onnxruntime.InferenceSession

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> ExportedModel:
        """The model of a folder; threads: for one call, 0 means one per core.

        Raises UserError where there is none, where the runtime is not installed or for another
        format, and Damaged for a file that differs from its digest or that the runtime refuses.
        """
        description = read_description(folder)
        content = checked_content(folder, description, MODEL_FILE)
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads without work would turn in a loop and take the cores from those that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = runtime.InferenceSession(content, options, ["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has no common class for its errors
            reason = f"{error}".partition("\n")[0]
            raise Damaged(
                f"{folder / MODEL_FILE}: ONNX Runtime cannot load it ({reason})."
            ) from None
        model = cls(folder, description, session)
        model._refuse_other_shapes()
        return model

    def _refuse_other_shapes(self) -> None:
        """Raise Damaged where the model takes or gives other shapes than it is described with."""
        shapes = {one.name: one.shape for one in self.session.get_inputs()}
        shapes |= {one.name: one.shape for one in self.session.get_outputs()}
        sides, classes = shapes.get(IMAGES, [])[1:], shapes.get(PROBABILITIES, [])[1:]
        if sides != [self.side, self.side, 3] or classes != [len(self.classes)]:
            raise Damaged(
                f"{self.folder / MODEL_FILE}: takes images of shape {sides} and gives {classes} "
                f"probabilities; {DESCRIPTION_FILE} says {self.side} pixels, {len(self.classes)} "
                f"classes. {REMEDY}"
            )

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of the probabilities."""
        return list(self.description["classes"])

    @property
    def side(self) -> int:
        """Of the square images that the model takes, in pixels."""
        return int(self.description["image_side"])

    @property
    def has_features(self) -> bool:
        """Whether the model has the output `features`."""
        return FEATURES in [output.name for output in self.session.get_outputs()]

    def outputs(self, images: np.ndarray, *names: str) -> list[np.ndarray]:
        """Outputs for images: uint8, shape (images, side, side, 3), RGB.

        names: of PROBABILITIES (float32, (images, classes)), EMBEDDING (float32, (images, units))
        and FEATURES (float32, (images, height, width, channels)).
        Raises ValueError for images of another shape or dtype.
        """
        expected = (len(images), self.side, self.side, 3)
        if images.shape != expected or images.dtype != np.uint8:
            raise ValueError(
                f"images must be uint8 of shape {expected}. "
                f"Received {images.dtype} of shape {images.shape}"
            )
        return self.session.run(list(names), {IMAGES: images})

    def probabilities(self, images: np.ndarray, batch: int = 32) -> np.ndarray:
        """Class probabilities: float32, shape (images, classes); `batch` images at a time."""
        starts = range(0, len(images), batch)
        some = [self.outputs(images[start : start + batch], PROBABILITIES)[0] for start in starts]
        return np.concatenate([np.empty((0, len(self.classes)), np.float32), *some])


def read_description(folder: Path) -> dict[str, Any]:
    """The content of model.json.

    Raises UserError where there is none or its format is unknown, Damaged for a broken file.
    """
    path = folder / DESCRIPTION_FILE
    try:
        description = json.loads(path.read_text("utf-8"))
        found = description["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file, so there is no exported model. {REMEDY}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path}: broken ({error}). {REMEDY}") from None
    if found != FORMAT:
        raise UserError(
            f"{path}: has format {found}, this version of trackbed reads format {FORMAT}. "
            "Export the model with this version."
        )
    if wrong := description_check.fault(description):
        raise Damaged(f"{path}: broken ({wrong}). {REMEDY}")
    return description


def checked_content(folder: Path, description: dict[str, Any], name: str) -> bytes:
    """The bytes of a file of the folder.

    Raises UserError for a missing file, Damaged for one that differs from the description.
    """
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise UserError(f"{folder / name}: {error.strerror}. {REMEDY}") from None
    expected = description["files"].get(name, {}).get("sha256")
    if hashlib.sha256(content).hexdigest() != expected:
        raise Damaged(f"{folder / name}: differs from its digest in {DESCRIPTION_FILE}. {REMEDY}")
    return content


def _runtime() -> Any:
    # ONNX Runtime 1.32 keeps an id of the machine below ~/.cache and reports its use otherwise.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise UserError(
            "ONNX Runtime is not installed. Run `pip install 'trackbed[predict]'`."
        ) from None
    return onnxruntime
