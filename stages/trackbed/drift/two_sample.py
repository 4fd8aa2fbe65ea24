"""Two samples of pictures compared by statistics whose chance is found by exchanging groups."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

PERMUTATIONS = 999
FOLDS = 5  # in which groups are held out from the classifier
COMPONENTS = 64  # principal components that the classifier gets at most
RIDGE = 0.1  # share of the mean variance that is added to each
AT_A_TIME = 100  # permutations; for memory

Statistic = Callable[[np.ndarray], np.ndarray]
"""Of marks (float 0 or 1, shape (images, columns)) to a value for every column."""


@dataclass(frozen=True)
class Samples:
    """Pictures of both samples, one after the other.

    is_new: bool, shape (images,). groups: int, shape (images,), 0 .. groups - 1; no group lies in
    both samples.
    """

    is_new: np.ndarray
    groups: np.ndarray

    @property
    def group_is_new(self) -> np.ndarray:
        """Bool, shape (groups,)."""
        marks = np.zeros(self.groups.max() + 1, bool)
        marks[self.groups[self.is_new]] = True
        return marks

    @property
    def arrangements(self) -> int:
        """In how many ways as many groups could be the new ones."""
        marks = self.group_is_new
        return math.comb(len(marks), int(marks.sum()))

    @property
    def smallest_p_value(self) -> float:
        """That a test can give."""
        return 1 / min(self.arrangements, PERMUTATIONS + 1)


@dataclass(frozen=True)
class TwoSampleTest:
    """value: of the statistic. p_value: share of the arrangements with a value as large."""

    value: float
    p_value: float


def samples(held_out: Sequence[str], new: Sequence[str]) -> Samples:
    """The samples of the group names of all pictures; equal names in both are two groups."""
    numbers = [np.unique(np.asarray(names), return_inverse=True)[1] for names in (held_out, new)]
    numbers[1] = numbers[1] + numbers[0].max() + 1
    is_new = np.repeat([False, True], [len(one) for one in numbers])
    return Samples(is_new, np.concatenate(numbers))


def classifier_test(features: np.ndarray, both: Samples, seed: int = 0) -> TwoSampleTest:
    """Whether a linear classifier can tell the samples apart; the value is its AUC, 0 to 1.

    features: float, shape (images, any). The classifier (ridge regression, which is linear
    discriminant analysis with a shrunken covariance) is fitted without the groups that it scores.
    Source: Lopez-Paz and Oquab 2017, Revisiting Classifier Two-Sample Tests.
    """
    classifier = _Classifier.of(features, both, seed)
    return _permuted(lambda marks: areas(classifier.scores(marks), marks), both, seed)


def classifier_scores(features: np.ndarray, both: Samples, seed: int = 0) -> np.ndarray:
    """How much more a picture is like the new ones: float, shape (images,); see classifier_test."""
    marks = both.is_new[:, None].astype(float)
    return _Classifier.of(features, both, seed).scores(marks)[:, 0]


def distribution_test(values: np.ndarray, both: Samples, seed: int = 0) -> TwoSampleTest:
    """Whether any column is distributed otherwise; the largest Kolmogorov-Smirnov distance.

    values: float, shape (images, columns). Of softmax outputs it is BBSDs of Rabanser, Günnemann
    and Lipton 2019 (Failing Loudly), with the permutation in place of Bonferroni's correction.
    """
    columns = [_Sorted.of(column) for column in values.T]

    def largest(marks: np.ndarray) -> np.ndarray:
        return np.max([column.distances(marks) for column in columns], axis=0)

    return _permuted(largest, both, seed)


def mean_test(values: np.ndarray, both: Samples, seed: int = 0) -> TwoSampleTest:
    """Whether the mean is another, up or down; the value is the difference, new less held out.

    values: float, shape (images,).
    """

    def difference(marks: np.ndarray) -> np.ndarray:
        new = marks.sum(axis=0)
        sums = values @ marks
        return sums / new - (values.sum() - sums) / (len(values) - new)

    found = _permuted(lambda marks: np.abs(difference(marks)), both, seed)
    value = float(difference(both.is_new[:, None].astype(float))[0])
    return TwoSampleTest(value, found.p_value)


def without_class_means(features: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Features less their mean in all pictures of the same answer; float, same shape.

    answers: int, shape (images,). What is left does not depend on how often an answer is given.
    """
    centred = np.array(features, dtype=float)
    for answer in np.unique(answers):
        centred[answers == answer] -= centred[answers == answer].mean(axis=0)
    return centred


def adjusted(p_values: Sequence[float]) -> list[float]:
    """P-values that hold for all tests together (Holm 1979), in the same order, at most 1."""
    found = np.empty(len(p_values))
    highest = 0.0
    for place, number in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[number]))
        found[number] = highest
    return found.tolist()


def areas(scores: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Area under the ROC curve for every column: the chance that a marked picture scores higher.

    scores: float, marks: 0 or 1, both of shape (images, columns). Ties count half.
    """
    ranks = rankdata(scores, axis=0)
    new = marks.sum(axis=0)
    others = len(marks) - new
    return ((ranks * marks).sum(axis=0) - new * (new + 1) / 2) / (new * others)


@dataclass(frozen=True)
class _Classifier:
    """Features with unit variance, and the fold of every image."""

    features: np.ndarray
    folds: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, both: Samples, seed: int) -> _Classifier:
        """The folds do not depend on which groups are new, so every permutation has the same."""
        groups = both.groups.max() + 1
        folds = np.random.default_rng(seed).permutation(groups) % min(FOLDS, groups)
        return cls(standardised(features), folds[both.groups])

    def scores(self, marks: np.ndarray) -> np.ndarray:
        """Scores for every column of marks by classifiers that were fitted on other folds."""
        found = np.empty_like(marks)
        for fold in np.unique(self.folds):
            inside = self.folds == fold
            others = self.features[~inside]
            mean = others.mean(axis=0)
            centred = others - mean
            covariance = centred.T @ centred / len(centred)
            ridge = RIDGE * np.trace(covariance) / len(covariance) + 1e-12
            targets = marks[~inside] - marks[~inside].mean(axis=0)
            slopes = np.linalg.solve(
                covariance + ridge * np.eye(len(covariance)), centred.T @ targets / len(centred)
            )
            found[inside] = (self.features[inside] - mean) @ slopes
        return found


@dataclass(frozen=True)
class _Sorted:
    """A column in ascending order; ends: the last place of every value, where ties are over."""

    order: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, column: np.ndarray) -> _Sorted:
        order = np.argsort(column, kind="stable")
        return cls(order, np.flatnonzero(np.append(np.diff(column[order]) > 0, True)))

    def distances(self, marks: np.ndarray) -> np.ndarray:
        """Kolmogorov-Smirnov distances of marked and other images: shape (columns of marks,)."""
        sums = np.cumsum(marks[self.order], axis=0)[self.ends]
        new = marks.sum(axis=0)
        others = (self.ends + 1)[:, None] - sums
        return np.abs(sums / new - others / (len(marks) - new)).max(axis=0)


def standardised(features: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and variance 1, of many the principal components: float64.

    A column that is constant becomes 0.
    """
    centred = features - features.mean(axis=0, dtype=float)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 1e-9, spread, np.inf)
    if scaled.shape[1] <= COMPONENTS:
        return scaled
    _, axes = np.linalg.eigh(scaled.T @ scaled)
    return scaled @ axes[:, -COMPONENTS:]


def _permuted(statistic: Statistic, both: Samples, seed: int) -> TwoSampleTest:
    """The statistic of the samples, and its place among those of other arrangements."""
    value = float(statistic(both.is_new[:, None].astype(float))[0])
    as_large = counted = 0
    for marks in _arrangements(both, seed):
        found = statistic(marks[both.groups])
        # Sums in another order differ in the last digits.
        as_large += int((found >= value - 1e-12).sum())
        counted += marks.shape[1]
    if both.arrangements <= PERMUTATIONS + 1:  # all of them, the true one included
        return TwoSampleTest(value, as_large / counted)
    return TwoSampleTest(value, (1 + as_large) / (1 + counted))


def _arrangements(both: Samples, seed: int) -> Iterator[np.ndarray]:
    """Which groups could be the new ones: float 0 or 1, shape (groups, some) each.

    All arrangements where there are few, else random ones.
    """
    truth = both.group_is_new
    count, new = len(truth), int(truth.sum())
    if both.arrangements <= PERMUTATIONS + 1:
        chosen = itertools.combinations(range(count), new)
    else:
        random = np.random.default_rng([seed, 1])
        chosen = (random.permutation(count)[:new] for _ in range(PERMUTATIONS))
    while some := list(itertools.islice(chosen, AT_A_TIME)):
        marks = np.zeros((count, len(some)))
        for column, places in enumerate(some):
            marks[list(places), column] = 1
        yield marks
