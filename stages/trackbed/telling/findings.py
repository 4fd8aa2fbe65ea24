"""What the tables of a run say: extremes, confusions, mistakes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Extremes:
    """The classes of the highest and of the lowest F1, several where they tie, in label order."""

    best: list[str]
    best_f1: float
    weakest: list[str]
    weakest_f1: float


@dataclass(frozen=True)
class Confusion:
    """`images` of the `support` test images of the true class were taken for another."""

    true: str
    predicted: str
    images: int
    support: int


def extremes(classes: pd.DataFrame) -> Extremes | None:
    """Best and weakest class by F1, or None where no class has one.

    classes: column `f1`, indexed by class name; NaN (no test images) takes no part.
    """
    f1 = classes["f1"].dropna()
    if f1.empty:
        return None
    best, weakest = f1.max(), f1.min()
    return Extremes(f1.index[f1 == best].tolist(), best, f1.index[f1 == weakest].tolist(), weakest)


def confusions(matrix: pd.DataFrame, most: int) -> list[Confusion]:
    """The most frequent pairs of true and other predicted class; ties in label order.

    matrix: counts, rows the true and columns the predicted class.
    """
    values = matrix.to_numpy()
    support = values.sum(axis=1)
    off = np.where(np.eye(len(values), dtype=bool), 0, values)
    order = np.argsort(-off, axis=None, kind="stable")[:most]
    return [
        Confusion(
            matrix.index[true], matrix.columns[other], int(off[true, other]), int(support[true])
        )
        for true, other in zip(*np.unravel_index(order, off.shape), strict=True)
        if off[true, other] > 0
    ]
