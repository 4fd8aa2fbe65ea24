"""Precision-recall and ROC curves of the classes, as data of a page."""

from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import ranking
from trackbed.pipeline import tables

POINTS = 120  # of a curve, about
SCALE = 10_000  # of shares and thresholds, which are whole numbers in the page


def content(predictions: pd.DataFrame, ranked: pd.DataFrame, most: int) -> dict[str, Any]:
    """The curves of the `most` classes of the lowest AP, that of the lowest first.

    predictions: see pipeline.tables; ranked: see ranking.RANKING_TABLE, indexed by class.
    Per class: name, support, its areas with the ends of their intervals (None where unknown), and
    lists of whole numbers, an entry per threshold from the highest on, each SCALE at most:
    threshold, precision, recall, alarms. Classes without a curve are left out.
    """
    probabilities, labels = tables.probabilities(predictions), tables.labels(predictions)
    areas = ranked["average_precision"].to_numpy()[:-1]  # the last row has the means
    order = np.argsort(areas, kind="stable")  # NaN comes last
    chosen = order[: min(most, int(np.isfinite(areas).sum()))]
    return {
        "scale": SCALE,
        "images": len(labels),
        "classes": [
            _figures(ranked.index[label], ranked.iloc[label])
            | points(ranking.curve(probabilities[:, label], labels == label))
            for label in chosen
        ],
    }


def points(curve: ranking.Curve) -> dict[str, list[int]]:
    """About POINTS of a curve: even steps along the precision-recall and along the ROC curve."""
    places = thinned(curve)
    return {
        "threshold": _whole(curve.thresholds[places]),
        "precision": _whole(curve.precision[places]),
        "recall": _whole(curve.recall[places]),
        "alarms": _whole(curve.false_alarms[places]),
    }


def thinned(curve: ranking.Curve) -> np.ndarray:
    """Places of the points that are kept, the first and the last among them: int, rising."""
    lengths = [
        np.hypot(np.diff(across), np.diff(up))
        for across, up in (
            (curve.recall, curve.precision),
            (np.sqrt(curve.false_alarms), curve.recall),  # the left end is where ROC curves bend
        )
    ]
    kept = {0, len(curve.thresholds) - 1}
    for steps in lengths:
        way = np.concatenate([[0], steps.cumsum()])
        wanted = np.linspace(0, way[-1], POINTS // 2)
        kept.update(np.searchsorted(way, wanted).clip(0, len(way) - 1).tolist())
    return np.array(sorted(kept))


def _figures(name: str, row: pd.Series) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "support": int(row["support"])}
    for area in ranking.AREAS:
        ends = [float(row[f"{area}{end}"]) for end in ("", "_low", "_high")]
        found[area] = [round(end, 4) if np.isfinite(end) else None for end in ends]
    return found


def _whole(values: np.ndarray) -> list[int]:
    return np.rint(SCALE * values).astype(int).tolist()
