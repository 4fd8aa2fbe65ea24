"""The top of the page: a picture of each class with its F1, and of the most frequent confusion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

MOST = 12  # classes that are all listed; of more the WEAKEST
WEAKEST = 8

Pictures = Callable[[pd.DataFrame], list[str]]


@dataclass(frozen=True)
class Tile:
    """A class with its F1 and the 95 % interval, NaN where undefined; label: its place, from 0.

    picture: a data URI, '' where the class has no test image.
    """

    label: int
    name: str
    f1: float
    low: float
    high: float
    picture: str


@dataclass(frozen=True)
class Pair:
    """The most frequent confusion: `images` of the `support` test images of the true class.

    mistake: the picture of the surest one. example: a picture of the predicted class, '' where no
    test image of it is recognised.
    """

    true: str
    true_label: int
    predicted: str
    predicted_label: int
    images: int
    support: int
    mistake: str
    example: str


@dataclass(frozen=True)
class Strip:
    """tiles: in label order, or the weakest first. pair: None where there is no mistake."""

    tiles: list[Tile]
    pair: Pair | None


def strip(
    classes: pd.DataFrame, confusion: pd.DataFrame, predictions: pd.DataFrame, pictures: Pictures
) -> Strip:
    """The strip of a run.

    classes: indexed by name in label order, with f1, f1_low and f1_high. confusion: counts, true
    classes in rows. predictions: see pipeline.tables. pictures: one data URI per row.
    """
    chosen = classes
    if len(classes) > MOST:
        chosen = classes.sort_values("f1", kind="stable", na_position="last").head(WEAKEST)
    labels = {name: label for label, name in enumerate(classes.index)}
    found = {name: example(predictions, name) for name in chosen.index}
    shown = _by_key(found, pictures)
    tiles = [
        Tile(labels[name], name, row["f1"], row["f1_low"], row["f1_high"], shown.get(name, ""))
        for name, row in chosen.iterrows()
    ]
    return Strip(tiles, _pair(confusion, predictions, labels, pictures))


def example(predictions: pd.DataFrame, class_name: str) -> pd.DataFrame:
    """The surest right prediction of a class, else any image of it; no row where it has none."""
    of_class = predictions[predictions["true"] == class_name]
    right = of_class[of_class["predicted"] == class_name]
    return _surest(right if len(right) else of_class)


def _surest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["confidence", "record"], ascending=[False, True]).head(1)


def _pair(
    confusion: pd.DataFrame, predictions: pd.DataFrame, labels: dict[str, int], pictures: Pictures
) -> Pair | None:
    """The pair of the most images; ties in label order."""
    counts = confusion.to_numpy().copy()
    support = counts.sum(axis=1)
    np.fill_diagonal(counts, 0)
    place, other_place = np.unravel_index(counts.argmax(), counts.shape)
    if not counts[place, other_place]:
        return None
    true, other = confusion.index[place], confusion.columns[other_place]
    is_pair = (predictions["true"] == true) & (predictions["predicted"] == other)
    rows = {"mistake": _surest(predictions[is_pair]), "example": example(predictions, other)}
    shown = {"mistake": "", "example": ""} | _by_key(rows, pictures)
    return Pair(
        true=true,
        true_label=labels[true],
        predicted=other,
        predicted_label=labels[other],
        images=int(counts[place, other_place]),
        support=int(support[place]),
        **shown,
    )


def _by_key(rows: dict[str, pd.DataFrame], pictures: Pictures) -> dict[str, str]:
    """The picture of each table that has a row."""
    present = {key: row for key, row in rows.items() if len(row)}
    if not present:
        return {}
    return dict(zip(present, pictures(pd.concat(present.values())), strict=True))
