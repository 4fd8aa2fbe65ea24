"""The bootstrap over groups: counts per group, strata, and counts of resampled test parts."""

from dataclasses import dataclass

import numpy as np

from trackbed.evaluation import metrics

RESAMPLES = 2000


@dataclass(frozen=True)
class Counts:
    """Right answers, images and calls (images predicted as the class) per class.

    Each is a float array of shape (rows, classes); a row is a group or a resampled test part.
    """

    right: np.ndarray
    support: np.ndarray
    calls: np.ndarray

    @property
    def whole(self) -> "Counts":
        """The sum of all rows, as one row."""
        return Counts(*(each.sum(axis=0, keepdims=True) for each in vars(self).values()))

    @property
    def f1(self) -> np.ndarray:
        """Shape (rows, classes); NaN where a class has no images."""
        return metrics.f1(self.right, self.support, self.calls)

    @property
    def macro_f1(self) -> np.ndarray:
        """Shape (rows,); classes without images are left out."""
        return metrics.mean_f1(self.f1)

    @property
    def accuracy(self) -> np.ndarray:
        """Shape (rows,)."""
        return self.right.sum(axis=1) / self.support.sum(axis=1)


def counts(labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int) -> Counts:
    """A row per group, in the order of their names.

    labels, predicted: int, groups: any; all of shape (images,).
    """
    names, group = np.unique(groups, return_inverse=True)
    hit = labels == predicted

    def table(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        cells = np.bincount(rows * classes + columns, minlength=len(names) * classes)
        return cells.reshape(len(names), classes).astype(float)

    return Counts(table(group[hit], labels[hit]), table(group, labels), table(group, predicted))


def strata(counted: Counts) -> np.ndarray:
    """The class that each group mostly belongs to, see `collapsed`: int, shape (groups,)."""
    return collapsed(counted.support.argmax(axis=1))


def collapsed(strata: np.ndarray) -> np.ndarray:
    """The strata, with those of a single group merged: with each other, or one with the smallest.

    A single group would be the same in every resampled test part. Merging counts the difference
    between its class and another as chance, and so rather widens an interval (the method of
    collapsed strata, Cochran 1977, Sampling Techniques, section 5A.12).
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


def resampled(counted: list[Counts], strata: np.ndarray, seed: int) -> list[Counts]:
    """Counts of RESAMPLES test parts for each of the given ones, from the same samples of groups.

    strata: int, shape (groups,), see `sums`.
    """
    tables = [table for one in counted for table in vars(one).values()]
    parts = np.split(resampled_sums(np.hstack(tables), strata, seed), len(tables), axis=1)
    return [Counts(*parts[start : start + 3]) for start in range(0, len(parts), 3)]


def resampled_sums(values: np.ndarray, strata: np.ndarray, seed: int) -> np.ndarray:
    """The sums over RESAMPLES samples of groups: float, shape (resamples, columns).

    values: float, shape (groups, columns), what each group adds to the sums; strata: int, shape
    (groups,). Of the g groups of a stratum g - 1 are sampled with replacement and weighted by
    g / (g - 1): the rescaling bootstrap of Rao and Wu (1988, Resampling Inference With Complex
    Survey Data). Its variances are those of the textbook, with g - 1 in the divisor; sampling g
    of g makes them (g - 1) / g as large, too small by a fifth with five groups.

    Groups of equal values are sampled together, from a multinomial distribution over the different
    ones: the same distribution, far quicker where groups are many and small.
    """
    random = np.random.default_rng(seed)
    total = np.zeros((RESAMPLES, values.shape[1]))
    for stratum in np.unique(strata):
        different, times = np.unique(values[strata == stratum], axis=0, return_counts=True)
        groups = times.sum()
        taken = max(groups - 1, 1)
        weights = random.multinomial(taken, times / groups, size=RESAMPLES) * (groups / taken)
        total += weights @ different
    return total
