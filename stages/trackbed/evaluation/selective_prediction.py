"""Selective prediction: coverage and accuracy of the answers above a confidence threshold.

Also known as selective classification (Geifman and El-Yaniv 2017, arXiv 1705.08500). A threshold
does not detect images of unknown classes: a network may be confident about those, too.
"""

import numpy as np
import pandas as pd

from trackbed.evaluation import intervals
from trackbed.inference.temperature import with_temperature
from trackbed.pipeline import tables
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

COVERAGE_TABLE = TableFile(
    "coverage.csv",
    dict.fromkeys(["threshold", "coverage", "accuracy"], "float64"),
    EVALUATION_REMEDY,
    empty_is_nan=True,
    float_format="%.4f",
)
ROWS = 50  # of a table, at most


def coverage(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Up to ROWS thresholds, the lowest first, spread evenly over the images.

    confidence: float, right: bool, both of shape (images,). Columns: threshold, one of the
    confidences; coverage, the share of images that are at least as sure; accuracy, the share of
    right answers among those. The first row keeps all images.
    """
    thresholds, kept, hits = _kept(confidence, right)
    most = -(-len(confidence) * np.arange(ROWS, 0, -1) // ROWS)
    chosen = np.unique(np.searchsorted(-kept, -most))  # the first threshold that keeps no more
    chosen = chosen[chosen < len(kept)]
    return pd.DataFrame(
        {
            "threshold": thresholds[chosen],
            "coverage": kept[chosen] / max(len(confidence), 1),
            "accuracy": hits[chosen] / kept[chosen],
        }
    )


def threshold(confidence: np.ndarray, right: np.ndarray, precision: float) -> float | None:
    """The smallest confidence from which on a share `precision` of the answers is right.

    Shapes as in `coverage`. 0 where all answers together reach it, None where no threshold does.
    """
    thresholds, kept, hits = _kept(confidence, right)
    enough = np.flatnonzero(hits >= precision * kept)
    if not len(enough):
        return None
    return float(thresholds[enough[0]]) if enough[0] else 0.0


def threshold_of_fold(
    fold: pd.DataFrame, temperature: float | None, precision: float
) -> float | None:
    """The `threshold` for the predictions of the validation fold, see pipeline.tables.

    temperature: of the probabilities, or None where they are used as they are.
    """
    confident = tables.probabilities(fold)
    if temperature is not None:
        confident = with_temperature(confident, temperature)
    right = (fold["true"] == fold["predicted"]).to_numpy()
    return threshold(confident.max(axis=1), right, precision)


def measured(
    threshold: float | None,
    confidence: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    groups: np.ndarray,
    seed: int,
) -> dict[str, float | None]:
    """Precision and coverage of a threshold on other images than those it was chosen on.

    'refusal_precision', the share of right answers among the images at or above it, with its 95 %
    interval over groups (see intervals.accuracy), and 'refusal_coverage', their share of all.
    Without a threshold all values are None; without an image that is kept there is no precision
    (NaN), and no interval (NaN) where all that are kept are of one group.
    """
    names = [f"refusal_{name}" for name in ("precision", "precision_low", "precision_high")]
    if threshold is None:
        return {"refusal_threshold": None, **dict.fromkeys(names), "refusal_coverage": None}
    kept, right = confidence >= threshold, labels == predicted
    precision = float(right[kept].mean()) if kept.any() else np.nan
    values = (precision, *_interval(kept, labels, predicted, groups, seed))
    return {
        "refusal_threshold": threshold,
        **dict(zip(names, values, strict=True)),
        "refusal_coverage": float(kept.mean()),
    }


def _interval(
    kept: np.ndarray, labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, seed: int
) -> tuple[float, float]:
    if len(np.unique(groups[kept])) < 2:
        return intervals.UNKNOWN
    classes = max(labels.max(), predicted.max()) + 1
    effect = intervals.design_effect(labels, predicted, groups, classes, seed)
    own = (labels == predicted)[kept], labels[kept], groups[kept]
    return intervals.accuracy(*own, effect, seed, [intervals.LEVEL])[0]


def _kept(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, ...]:
    """Every different confidence, rising; images at or above it; right answers among those."""
    thresholds, place = np.unique(confidence, return_inverse=True)
    counts = (np.bincount(place, weights, len(thresholds)) for weights in (None, right))
    return thresholds, *(count[::-1].cumsum()[::-1] for count in counts)
