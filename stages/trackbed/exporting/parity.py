"""How far an exported model answers like the one that was trained, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trackbed.evaluation import intervals
from trackbed.inference.temperature import with_temperature

SUMMARY_FILE = "export.json"  # in the metrics folder


@dataclass(frozen=True)
class Limits:
    """What a format must keep to; shares are 0 to 1."""

    equal: float  # share of equal answers, at least
    largest_difference: float | None = None  # of a probability, at most; None: any
    macro_f1_difference: float | None = None  # from the trained model, at least
    crossings: float | None = None  # share of answers that cross the refusal threshold, at most
    relative_bytes: float | None = None  # of the file to that of ONNX, at most


# Sums in another order, in float32: networks of 0.3 to 24 million parameters differ by up to 7e-6.
FLOAT32 = Limits(equal=1.0, largest_difference=1e-5)
# Weights with 11 significant bits: trained networks differ by up to 5e-3.
FLOAT16 = Limits(0.995, 1e-2, macro_f1_difference=-0.005, crossings=0.01, relative_bytes=0.55)
INT8 = Limits(0.99, macro_f1_difference=-0.01, crossings=0.02, relative_bytes=0.35)


def limits(name: str) -> Limits:
    """The limits of a format by its name."""
    return {"float16": FLOAT16, "int8": INT8}.get(name.rpartition("_")[2], FLOAT32)


@dataclass(frozen=True)
class Parity:
    """The comparison of a format with the trained model on the same images."""

    images: int
    equal: float
    largest_difference: float
    macro_f1_difference: float
    macro_f1_difference_low: float
    macro_f1_difference_high: float
    crossings: float
    bytes: int
    relative_bytes: float

    def values(self) -> dict[str, Any]:
        """All fields by name; the difference with three significant digits."""
        return asdict(self) | {"largest_difference": float(f"{self.largest_difference:.3g}")}


@dataclass(frozen=True)
class Reference:
    """What the trained model answers for some images.

    probabilities: float, shape (images, classes); labels: int, the true classes; groups: what the
    bootstrap resamples; threshold: answers below are refused, None for no refusal; temperature: of
    the probabilities that the threshold is for, None for the model's own.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    threshold: float | None
    temperature: float | None
    seed: int = 0

    def parity(self, found: np.ndarray, size: int, onnx_bytes: int) -> Parity:
        """How the probabilities of a format compare; size: bytes of its file or folder.

        A different answer counts as equal only where float32 cannot tell the two classes apart:
        the trained model gives them probabilities that differ by less than its limit.
        """
        answers, expected = found.argmax(axis=1), self.probabilities.argmax(axis=1)
        rows = np.arange(len(expected))
        own, other = self.probabilities[rows, expected], self.probabilities[rows, answers]
        classes = self.probabilities.shape[1]
        difference = intervals.macro_f1_difference(
            self.labels, (answers, expected), self.groups, classes, self.seed
        )
        refused, refused_before = self._refused(found), self._refused(self.probabilities)
        return Parity(
            len(expected),
            float((own - other <= FLOAT32.largest_difference).mean()),
            float(np.abs(found - self.probabilities).max()),
            *difference,
            float((refused != refused_before).mean()),
            size,
            round(size / onnx_bytes, 4),
        )

    def _refused(self, probabilities: np.ndarray) -> np.ndarray:
        if self.temperature is not None:
            probabilities = with_temperature(probabilities, self.temperature)
        return probabilities.max(axis=1) < (self.threshold or 0)


def misses(found: Parity, allowed: Limits) -> Iterator[str]:
    """What a format misses, in words with both figures."""
    at_least = {"equal": "equal answers", "macro_f1_difference": "difference of macro F1"}
    at_most = {"largest_difference": "largest difference of a probability"}
    at_most |= {"crossings": "answers across the refusal threshold"}
    at_most |= {"relative_bytes": "bytes, relative to ONNX"}
    for key, name in at_least.items():
        value, limit = getattr(found, key), getattr(allowed, key)
        if limit is not None and not value >= limit:
            yield f"{name} {value:.4g}, at least {limit:g} is required"
    for key, name in at_most.items():
        value, limit = getattr(found, key), getattr(allowed, key)
        if limit is not None and not value <= limit:
            yield f"{name} {value:.4g}, at most {limit:g} is allowed"
