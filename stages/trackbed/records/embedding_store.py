"""The embeddings of a frozen backbone for all records, on the disk."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from trackbed.pipeline import progress, tables
from trackbed.pipeline.errors import Damaged, Diverged, UserError
from trackbed.pipeline.outputs import replacing, write_arrays, write_json

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "embeddings"  # in the data folder
ABOUT_FILE = "embeddings.json"
# float32 arrays of shape (views, images, units): every record once; augmented views of the
# training records; the test records once more, in TensorFlow and float32.
STORED_FILE = "embeddings.npy"
VIEWS_FILE = "views.npy"
REFERENCE_FILE = "reference.npy"
# Some training images, spread over the classes, and views of them, to look at: uint8, shape
# (1 + views, images, side, side, 3).
SEEN_FILE, SEEN_IMAGES, SEEN_VIEWS = "seen.npz", 8, 4
# The network around the backbone, with an untrained head, as saved by training.checkpoint.
NETWORK_FILE = "network.keras"
EXACT = ("tensorflow", "float32")  # engine and precision of the saved model
Forward = Callable[[np.ndarray], np.ndarray]
"""uint8 or float32 pixels (batch, side, side, 3) to float32 embeddings (batch, units)."""
REMEDY = "Run `dvc repro -f embed`."
# The network up to the embedding as ONNX: `images`, uint8, to `embedding` and, where it is averaged
# into the embedding, `features`.
BACKBONE_FILE = "backbone.onnx"


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of a folder; `about` names backbone, engine and precision."""

    folder: Path
    about: dict[str, Any]

    def of(self, rows: pd.DataFrame) -> np.ndarray:
        """Embeddings of some rows of the index: float32, shape (rows, units)."""
        return self._finite(STORED_FILE, self._array(STORED_FILE)[0, rows["record"].to_numpy()])

    def training(self, table: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
        """Embeddings of training rows; with views, all views of each image: (rows, views, units).

        table: all rows of the index, as assigned by the split.
        """
        if not self.about["views"]:
            return self.of(rows)
        embedded = self._array(VIEWS_FILE)[:, self._places(table, rows, "train")]
        return self._finite(VIEWS_FILE, embedded).swapaxes(0, 1)

    def reference(self, table: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
        """Embeddings of test rows in TensorFlow and float32, as the saved model computes them."""
        if self.about["exact"]:
            return self.of(rows)
        places = self._places(table, rows, "test")
        return self._finite(REFERENCE_FILE, self._array(REFERENCE_FILE)[0, places])

    def checked(self, name: str) -> Path | None:
        """The path of NETWORK_FILE or BACKBONE_FILE; None where the embeddings came without it.

        Raises UserError for a missing file, Damaged for one that differs from its digest.
        """
        path, expected = self.folder / name, self.about.get("files", {}).get(name)
        if expected is None:
            return None
        try:
            found = digest(path)
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}. {REMEDY}") from None
        if found != expected:
            raise Damaged(f"{path}: differs from its digest in {ABOUT_FILE}. {REMEDY}")
        return path

    def refuse_other_backbone(self, digest: str) -> None:
        """Raise a UserError if the embeddings come from another backbone."""
        if digest != self.about["backbone"]:
            raise UserError(
                f"{self.folder}: the embeddings come from a backbone with other weights "
                f"(SHA-256 {self.about['backbone'][:12]}…, now {digest[:12]}…). {REMEDY}"
            )

    def refuse_other_params(self, p: Any) -> None:
        """Raise a UserError if section `train` asks for another backbone than that embedded."""
        for key, value in self.about["of"].items():
            if f"{getattr(p, key)}" != value:
                raise UserError(
                    f"{self.folder}: the embeddings are of train.{key} {value}, params.yaml has "
                    f"{getattr(p, key)}. Run `dvc repro embed`."
                )
        embedded, now = self.about.get("weights_file"), weights_file_digest(p.weights)
        if embedded and now and now != embedded:
            raise UserError(
                f"{self.folder}: the embeddings were made with another content of the weights file "
                f"{p.weights} (SHA-256 {embedded[:12]}…, now {now[:12]}…). {REMEDY}"
            )

    def seen(self) -> np.ndarray | None:
        """The array of SEEN_FILE, None without views, or where they were made without it."""
        path = self.folder / SEEN_FILE
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                return file["images"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: not readable ({error}). {REMEDY}") from None

    def _places(self, table: pd.DataFrame, rows: pd.DataFrame, part: str) -> np.ndarray:
        records = table.loc[table["part"] == part, "record"].to_numpy()
        return np.searchsorted(records, rows["record"].to_numpy())

    def _finite(self, name: str, values: np.ndarray) -> np.ndarray:
        if not np.isfinite(values).all():
            raise Damaged(f"{self.folder / name}: holds values that are not finite. {REMEDY}")
        return np.asarray(values)

    def _array(self, name: str) -> np.ndarray:
        try:
            return np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise UserError(f"{self.folder / name}: not readable ({error}). {REMEDY}") from None


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_file_digest(weights: str) -> str | None:
    """SHA-256 of the file that train.weights names, None where it names none that exists."""
    return digest(Path(weights)) if Path(weights).is_file() else None


def read(folder: Path) -> Embeddings | None:
    """The embeddings of a folder, or None where the network is trained on images."""
    about = tables.json_object(folder / ABOUT_FILE, REMEDY)
    return Embeddings(folder, about) if about.get("frozen") else None


def write_about(folder: Path, **about: Any) -> None:
    """Write what the folder holds; the last file of it."""
    write_json(folder / ABOUT_FILE, about)


def write_seen(folder: Path, images: np.ndarray, views: Sequence[Forward]) -> None:
    """Write uint8 images (images, side, side, 3) and what functions from images to images make."""
    changed = [np.clip(np.round(view(images)), 0, 255).astype(np.uint8) for view in views]
    write_arrays(folder / SEEN_FILE, {"images": np.stack([images, *changed])})


def write(
    path: Path, images: np.ndarray, rows: np.ndarray, views: Sequence[Forward], batch: int
) -> None:
    """Write an array (views, rows, units): each function of `views` applied to rows of the images.

    images: uint8, shape (images, side, side, 3); rows: int, shape (rows,). Only one batch of
    embeddings is in memory. Raises Diverged for an embedding that is not finite.
    """
    steps = [(view, start) for view in range(len(views)) for start in range(0, len(rows), batch)]
    # Not through a memory map, which on a full disk ends the process without a message.
    with replacing(path) as temporary, temporary.open("wb") as file:
        for view, start in progress.track(steps, path.stem):
            embedded = views[view](images[rows[start : start + batch]])
            if not file.tell():
                _write_header(file, (len(views), len(rows), embedded.shape[1]))
            _refuse_not_finite(embedded, rows[start : start + batch])
            file.write(np.ascontiguousarray(embedded, np.float32).data)


def _write_header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    described = {"descr": npy.dtype_to_descr(np.dtype(np.float32))}
    npy.write_array_header_1_0(file, described | {"fortran_order": False, "shape": shape})


def _refuse_not_finite(embedded: np.ndarray, rows: np.ndarray) -> None:
    broken = rows[~np.isfinite(embedded).all(axis=1)]
    if len(broken):
        raise Diverged(
            f"the embedding of record {broken[0]} of index.csv is not finite. Another "
            "embed.precision may do, or the weights of train.weights are broken."
        )
