"""Scores of slices of the test part: by class, image side, image quality and group."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import intervals, metrics
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

COLUMNS = {
    "kind": "str",  # class, image side, brightness, contrast, sharpness or group
    "slice": "str",
    "images": "int64",
    "groups": "int64",
    "accuracy": "float64",
    "accuracy_low": "float64",  # 95 % interval
    "accuracy_high": "float64",
    "macro_f1": "float64",  # NaN where the slice has images of one class alone
    "below_whole": "bool",  # whether its accuracy is below that of all by more than chance
}
SLICES_TABLE = TableFile(
    "slices.csv", COLUMNS, EVALUATION_REMEDY, empty_is_nan=True, float_format="%.4f"
)
FEWEST = 10  # images of a slice that is named, and of a group that is listed
LISTED_GROUPS = 10
QUALITIES = ("brightness", "contrast", "sharpness")

Part = tuple[str, str, np.ndarray]
"""Kind and name of a slice, and which images are in it: bool, shape (images,)."""


def slices(
    rows: pd.DataFrame, labels: np.ndarray, predicted: np.ndarray, classes: list[str], seed: int
) -> pd.DataFrame:
    """A row per slice, columns as in SLICES_TABLE.

    rows: of the index, shape (images,); labels, predicted: int, shape (images,). Of the groups
    that have FEWEST images those LISTED_GROUPS of the lowest accuracy are listed. below_whole:
    whether the interval of the slice ends below the accuracy of the whole. Of m slices some would
    by chance, so the level of this interval is 1 - 0.05 / m (Bonferroni).
    """
    right = labels == predicted
    parts = [part for part in (*_classes(labels, classes), *thirds(rows)) if part[2].any()]
    groups = list(_groups(rows["group"].to_numpy()))
    parts += sorted(groups, key=lambda part: right[part[2]].mean())[:LISTED_GROUPS]
    compared = sum(part[2].sum() >= FEWEST for part in parts) + len(groups[LISTED_GROUPS:])
    levels = [intervals.LEVEL, 1 - (1 - intervals.LEVEL) / max(compared, 1)]
    given = labels, predicted, rows["group"].to_numpy()
    effect = intervals.design_effect(*given, len(classes), seed)
    made = [_row(part, *given, len(classes), effect, seed, levels) for part in parts]
    return SLICES_TABLE.rows(made)


def worst(table: pd.DataFrame) -> pd.Series | None:
    """The slice of FEWEST images whose interval ends lowest, of those that differ from the whole by
    more than chance; None where none does.
    """
    found = table[table["below_whole"] & (table["images"] >= FEWEST)]
    return None if found.empty else found.loc[found["accuracy_high"].idxmin()]


def _classes(labels: np.ndarray, classes: list[str]) -> Iterator[Part]:
    for label, name in enumerate(classes):
        yield "class", name, labels == label


def thirds(rows: pd.DataFrame) -> Iterator[Part]:
    """Thirds by image side (root of width times height) and by the qualities of the pictures.

    What is equal in all images is left out, and so are thirds that equal values leave empty.
    """
    side = np.sqrt(rows["width"].to_numpy() * rows["height"].to_numpy())
    measures = {"image side": side} | {name: rows[name].to_numpy() for name in QUALITIES}
    for kind, values in measures.items():
        if values.min() == values.max():
            continue
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        yield kind, f"below {low:.4g}", values < low
        yield kind, f"{low:.4g} to {high:.4g}", (values >= low) & (values <= high)
        yield kind, f"above {high:.4g}", values > high


def _groups(groups: np.ndarray) -> Iterator[Part]:
    names, place, images = np.unique(groups, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(images >= FEWEST):
        yield "group", names[number], place == number


def _row(
    part: Part,
    labels: np.ndarray,
    predicted: np.ndarray,
    groups: np.ndarray,
    classes: int,
    effect: float,
    seed: int,
    levels: list[float],
) -> dict[str, Any]:
    kind, name, here = part
    own, answers, group = labels[here], predicted[here], groups[here]
    right = own == answers
    (low, high), (_, highest) = intervals.accuracy(right, own, group, effect, seed, levels)
    two_classes = len(np.unique(own)) > 1
    return {
        "kind": kind,
        "slice": name,
        "images": len(own),
        "groups": len(np.unique(group)),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": metrics.macro_f1(own, answers, classes) if two_classes else np.nan,
        "below_whole": highest < np.mean(labels == predicted),
    }
