"""The bootstrap over groups: counts of groups and of resampled test parts."""

from dataclasses import dataclass

import numpy as np

from trackbed.evaluation import metrics


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
        return metrics.f1(self.right, self.support, self.calls)

    @property
    def macro_f1(self) -> np.ndarray:
        """Shape (draws,); classes without images stay out."""
        return metrics.mean_f1(self.f1)

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


RESAMPLES = 2000


def sums(counts: np.ndarray, strata: np.ndarray, seed: int) -> np.ndarray:
    """The counts of RESAMPLES drawn test parts: float, shape (resamples, columns).

    counts: float, shape (groups, columns), what each group adds to the sums; strata: int, shape
    (groups,). Of the g groups of a stratum g - 1 are drawn, with replacement, and count g / (g - 1)
    times: the rescaling bootstrap of Rao and Wu (1988, Resampling Inference With Complex Survey
    Data). Its variances are those of the textbook, with g - 1 in the divisor; drawing g of g makes
    them (g - 1) / g as large, too small by a fifth with five groups.

    Groups of equal counts are drawn together, from a multinomial distribution over the different
    ones, which is the same draw and far quicker where groups are many and small.
    """
    random = np.random.default_rng(seed)
    drawn = np.zeros((RESAMPLES, counts.shape[1]))
    for stratum in np.unique(strata):
        different, times = np.unique(counts[strata == stratum], axis=0, return_counts=True)
        groups = times.sum()
        taken = max(groups - 1, 1)
        weights = random.multinomial(taken, times / groups, size=RESAMPLES) * (groups / taken)
        drawn += weights @ different
    return drawn


def collapsed(strata: np.ndarray) -> np.ndarray:
    """The strata, those of a single group merged: with each other, or one alone with the smallest.

    A single group would come out the same in every draw. Merging takes the difference between its
    class and another for chance, and so rather widens an interval (the method of collapsed strata,
    Cochran 1977, Sampling Techniques, section 5A.12).
    """
    names, groups = np.unique(strata, return_counts=True)
    merged = names[groups == 1]
    others = names[groups > 1]
    if len(merged) == 1 and len(others):
        merged = np.append(merged, others[groups[groups > 1].argmin()])
    return np.where(np.isin(strata, merged), merged.min(initial=strata.max()), strata)


def degrees_of_freedom(strata: np.ndarray) -> int:
    """Groups less strata."""
    return len(strata) - len(np.unique(strata))
