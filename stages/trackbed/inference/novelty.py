"""How far a picture is from the training images, as a rank among held-out images.

Needs NumPy alone.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trackbed.inference.exported_model import REMEDY, ExportedModel, checked_content
from trackbed.pipeline.errors import Damaged

REFERENCE_FILE = "reference.npz"
# The distance to the nearest one would follow a single odd training image; benchmarks/novelty.py
# compares.
NEIGHBOUR = 3
MAX_BYTES = 32 * 2**20  # of a file that is read
# Training images that are kept, and numbers of their embeddings (8 MB in the file).
MAX_IMAGES = 5_000
MAX_NUMBERS = 4_000_000
MAX_HELD_OUT = 2_000  # images
# Unit vectors are rounded to this grid, so that float16 holds them, and every sum of products in
# float32 is exact: products are multiples of the grid's square, and sums stay below 2. A distance
# then depends neither on the number of images at a time nor on threads or the machine.
GRID = 2.0**-11
IMAGES_AT_A_TIME = 32
# Products of numbers in a product of matrices, and numbers of a matrix. OpenBLAS, which NumPy
# uses, works on more in several threads, which fight with those of ONNX Runtime for the cores.
MAX_PRODUCTS, MAX_MATRIX = 2**17, 2**13


@dataclass(frozen=True)
class Reference:
    """What new pictures are compared with.

    training: embeddings of training images as unit vectors, float32, shape (images, units).
    held_out: distances of images that were not trained on, float32, ascending.
    """

    training: np.ndarray
    held_out: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The content of reference.npz; the embeddings as float16, which holds them exactly."""
        return {"training": self.training.astype(np.float16), "held_out": self.held_out}

    def distances(self, embeddings: np.ndarray) -> np.ndarray:
        """Distances to the third nearest training image: float32, shape (images,), 0 to 2.

        embeddings: float32, shape (images, units); their length does not count.
        """
        vectors = unit_vectors(embeddings)
        starts = range(0, len(vectors), IMAGES_AT_A_TIME)
        some = [self._to_neighbour(vectors[start : start + IMAGES_AT_A_TIME]) for start in starts]
        return np.concatenate([np.empty(0, np.float32), *some])

    def novelty(self, embeddings: np.ndarray) -> np.ndarray:
        """Share of held-out images that are nearer: 1 - rank."""
        return 1 - self.rank(embeddings)

    def rank(self, embeddings: np.ndarray) -> np.ndarray:
        """Share of held-out images that are at least as far: float64, shape (images,), 0 to 1.

        The picture itself counts as one of them, so no rank is below 1 / (held-out images + 1).
        For pictures like the held-out ones a rank is at most p with probability at most p, for
        every p (conformal p-value, Vovk et al. 2005, Algorithmic Learning in a Random World).
        """
        nearer = np.searchsorted(self.held_out, self.distances(embeddings), side="left")
        return (len(self.held_out) - nearer + 1) / (len(self.held_out) + 1)

    def _to_neighbour(self, vectors: np.ndarray) -> np.ndarray:
        squares = self._squares - 2 * _products(self.training, vectors)
        place = min(NEIGHBOUR, len(squares)) - 1
        return np.sqrt(np.partition(squares, place, axis=0)[place] + _squared_lengths(vectors))

    @cached_property
    def _squares(self) -> np.ndarray:
        return _squared_lengths(self.training)[:, np.newaxis]


def read(model: ExportedModel) -> Reference | None:
    """The reference of an exported model; None where it came without one.

    Raises UserError for a missing file, and Damaged for a broken one.
    """
    path = model.folder / REFERENCE_FILE
    if REFERENCE_FILE not in model.description["files"]:
        return None
    try:
        content = checked_content(model.folder, model.description, REFERENCE_FILE)
        if len(content) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            reference = Reference(stored["training"].astype(np.float32), stored["held_out"])
        _refuse_broken(reference)
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise Damaged(f"{path}: broken ({error}). {REMEDY}") from None
    return reference


def build(training: np.ndarray, held_out: np.ndarray) -> Reference:
    """The reference of embeddings of training images and of images that were held out.

    training, held_out: float32, shape (images, units). Raises ValueError without images.
    """
    if not len(training) or not len(held_out):
        raise ValueError("a reference needs training images and held-out images")
    reference = Reference(unit_vectors(training), np.empty(0, np.float32))
    return Reference(reference.training, np.sort(reference.distances(held_out)))


def chosen(labels: np.ndarray, units: int) -> np.ndarray:
    """Places of the training images for the reference: int, ascending, the same for equal labels.

    labels: int, shape (images,); units: of the embeddings. All images where there are few enough.
    Else a rare class keeps all of its images, and the others have equally many, evenly spread.
    """
    limit = max(1, min(MAX_IMAGES, MAX_NUMBERS // units))
    classes, counts = np.unique(labels, return_counts=True)
    caps = range(limit, 0, -1)
    cap = next((cap for cap in caps if np.minimum(counts, cap).sum() <= limit), 1)
    places = [np.flatnonzero(labels == label) for label in classes]
    return np.sort(np.concatenate([one[spread(len(one), cap)] for one in places]))


def spread(count: int, most: int) -> np.ndarray:
    """At most so many of the places 0 to count - 1, evenly spread: int, ascending."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def unit_vectors(embeddings: np.ndarray) -> np.ndarray:
    """Embeddings at length 1, on the grid: float32, shape (images, units); zeros stay zeros."""
    exact = embeddings.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    return (np.rint(exact / np.maximum(lengths, 1e-12) / GRID) * GRID).astype(np.float32)


def _products(training: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """training @ vectors.T in one thread; some rows of `training` at a time."""
    units = training.shape[1]
    rows = max(1, min(MAX_PRODUCTS // len(vectors), MAX_MATRIX) // units)
    blocks = len(training) // rows
    whole = blocks * rows
    products = training[:whole].reshape(blocks, rows, units) @ vectors.T
    return np.concatenate([products.reshape(whole, len(vectors)), training[whole:] @ vectors.T])


def _squared_lengths(vectors: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", vectors, vectors)


def _refuse_broken(reference: Reference) -> None:
    """Raise ValueError for arrays that `build` does not make."""
    training, held_out = reference.training, reference.held_out
    if training.ndim != 2 or not training.size:
        raise ValueError(f"training images of shape {training.shape}")
    if held_out.ndim != 1 or held_out.dtype != np.float32 or not len(held_out):
        raise ValueError(f"held-out images of shape {held_out.shape} and type {held_out.dtype}")
    if not (np.isfinite(training).all() and np.abs(training).max() <= 1):
        raise ValueError("embeddings that are no unit vectors")
    if not (np.isfinite(held_out).all() and (np.diff(held_out) >= 0).all()):
        raise ValueError("distances out of order")
