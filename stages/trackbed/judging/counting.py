"""Right answers, images and calls of groups and of drawn test parts, and the scores they make."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Right answers, images and calls per class: each of shape (groups or draws, classes)."""

    right: np.ndarray
    support: np.ndarray
    calls: np.ndarray

    @property
    def whole(self) -> "Counts":
        """All rows in one."""
        return Counts(*(each.sum(axis=0, keepdims=True) for each in vars(self).values()))

    @property
    def f1(self) -> np.ndarray:
        """Shape (draws, classes); NaN where a class has no images."""
        with np.errstate(invalid="ignore"):
            return np.where(self.support > 0, 2 * self.right / (self.support + self.calls), np.nan)

    @property
    def macro_f1(self) -> np.ndarray:
        """Shape (draws,); classes without images stay out."""
        return np.nanmean(self.f1, axis=1)

    @property
    def accuracy(self) -> np.ndarray:
        """Shape (draws,)."""
        return self.right.sum(axis=1) / self.support.sum(axis=1)


def counts(labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int) -> Counts:
    """Per group, in the order of their names."""
    names, group = np.unique(groups, return_inverse=True)
    hit = labels == predicted

    def table(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        cells = np.bincount(rows * classes + columns, minlength=len(names) * classes)
        return cells.reshape(len(names), classes).astype(float)

    return Counts(table(group[hit], labels[hit]), table(group, labels), table(group, predicted))
