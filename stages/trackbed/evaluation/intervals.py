"""Confidence intervals of scores, from a bootstrap over groups; all shares are 0 to 1."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

from trackbed.evaluation import bootstrap
from trackbed.evaluation.bootstrap import Counts, counts

LEVEL = 0.95


def logit_t(
    share: float, deviation: float, degrees: int, level: float = LEVEL
) -> tuple[float, float]:
    """Student's t interval on the scale of the log odds, brought back: it never leaves 0 to 1.

    deviation: standard deviation of the share, by the delta method divided by share (1 - share) on
    the other scale; degrees: degrees of freedom of its estimate. The usual interval for shares of
    clustered samples (`svyciprop` of R's survey package, SAS SURVEYFREQ). For a share strictly
    between 0 and 1.
    """
    middle = logit(share)
    reach = t.ppf((1 + level) / 2, degrees) * deviation / (share * (1 - share))
    return float(expit(middle - reach)), float(expit(middle + reach))


def wilson(
    share: np.ndarray | float, trials: np.ndarray | float, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of Wilson (1927) of a share of so many independent trials.

    trials need not be whole: fewer than the images where images go together, the effective sample
    size (Korn and Graubard 1998, Confidence Intervals for Proportions With Small Expected Number
    of Positive Counts Estimated From Survey Data).
    """
    square = norm.ppf((1 + level) / 2) ** 2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    spread = share * (1 - share) / trials + square / (4 * trials**2)
    half = np.sqrt(square * spread) / (1 + square / trials)
    # It holds the share and lies within 0 to 1; rounding may put it a hair outside.
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return np.maximum(low, 0), np.minimum(high, 1)


def wilson_f1(
    f1: np.ndarray, trials: np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of an F1, by the share that it is a function of.

    Of all images of a class or called so, `trials` if they were independent, the share J that is
    both makes F1 = 2 J / (1 + J): the indirect method of Lam, Gopal and Qian (2023, arXiv
    2309.14621).
    """
    low, high = wilson(f1 / (2 - f1), trials, level)
    return 2 * low / (1 + low), 2 * high / (1 + high)


UNKNOWN = (np.nan, np.nan)
ROUNDING = 1e-9  # a smaller deviation is none


@dataclass(frozen=True)
class Intervals:
    """95 % intervals. overall: (low, high) of 'macro_f1' and 'accuracy'; f1: float, shape
    (classes, 2), NaN for a class without images. All are NaN where all images are one group.
    """

    overall: dict[str, tuple[float, float]]
    f1: np.ndarray


def intervals(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> Intervals:
    """Of macro F1, accuracy and the F1 of every class; how and why: docs/scores.md.

    labels, predicted: int, shape (images,); groups: any, shape (images,). Frames of one object are
    not independent, so whole groups are drawn (cluster bootstrap, Field and Welsh 2007), within the
    class that a group mostly belongs to; see resampling.
    """
    counted = counts(labels, predicted, groups, classes)
    if len(counted.support) < 2:
        return Intervals(dict.fromkeys(("macro_f1", "accuracy"), UNKNOWN), _unknown(classes))
    strata = _strata(counted)
    (drawn,) = _resampled([counted], strata, seed)
    whole, degrees = counted.whole, bootstrap.degrees_of_freedom(strata)
    number = len(counted.support)
    overall = {
        name: share_interval(getattr(whole, name)[0], getattr(drawn, name), degrees, number)
        for name in ("macro_f1", "accuracy")
    }
    return Intervals(overall, _class_f1(whole, drawn, len(labels), number))


def accuracy(
    right: np.ndarray,
    strata: np.ndarray,
    groups: np.ndarray,
    effect: float,
    seed: int,
    levels: list[float],
) -> list[tuple[float, float]]:
    """Intervals of the accuracy of a part of the images, (low, high) for each level.

    right: bool; strata: int, the class; groups: any; all of shape (images,). effect: see
    `design_effect`. Wilson's, with the trials that the spread of the part tells and at most its
    images by the design effect, as for the F1 of a class. Within a single group images are taken
    for independent: that tells how well this group is judged, nothing of others.
    """
    wrong = strata.max() + 1
    counted = counts(strata, np.where(right, strata, wrong), groups, wrong + 1)
    share, trials = float(right.mean()), float(len(right))
    if len(counted.support) > 1:
        (drawn,) = _resampled([counted], _strata(counted), seed)
        variance, trials = drawn.accuracy.var(), trials / effect
        if variance > ROUNDING**2:
            trials = min(trials, share * (1 - share) / variance)
    return [tuple(map(float, wilson(share, trials, level))) for level in levels]


def design_effect(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> float:
    """How many images tell as much of the accuracy as one, from 1 to the images of a mean group."""
    counted = counts(labels, predicted, groups, classes)
    (drawn,) = _resampled([counted], _strata(counted), seed)
    share = counted.whole.accuracy[0]
    return _design_effect(share, drawn.accuracy.var(), len(labels), len(counted.support))


def share_interval(
    share: float, drawn: np.ndarray, degrees: int, groups: int, level: float = LEVEL
) -> tuple[float, float]:
    """The interval of a score of 0 to 1 from its values on the drawn test parts.

    Where all is right, or nothing, how mistakes go together cannot be seen: a group then counts as
    one trial of Wilson's interval.
    """
    deviation = drawn.std()
    if deviation > ROUNDING and 0 < share < 1:
        return logit_t(share, deviation, degrees, level)
    low, high = wilson(share, groups, level)
    return float(low), float(high)


def macro_f1_difference(
    labels: np.ndarray,
    predicted: tuple[np.ndarray, np.ndarray],
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> tuple[float, float, float]:
    """By how much the first predictions have a higher macro F1, with its 95 % interval (low, high).

    Paired: both are judged on the same draws of groups, drawn as in `intervals`. Student's t. A
    single group has no interval: NaN.
    """
    counted = [counts(labels, answers, groups, classes) for answers in predicted]
    value = float(np.subtract(*(one.whole.macro_f1[0] for one in counted)))
    if len(counted[0].support) < 2:
        return value, *UNKNOWN
    strata = _strata(counted[0])
    first, second = _resampled(counted, strata, seed)
    quantile = t.ppf((1 + LEVEL) / 2, bootstrap.degrees_of_freedom(strata))
    reach = float(quantile * (first.macro_f1 - second.macro_f1).std())
    return value, value - reach, value + reach


def bounds(overall: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Intervals as the values '<score>_low' and '<score>_high' of evaluate.json."""
    return {
        f"{name}_{end}": value
        for name, both in overall.items()
        for end, value in zip(("low", "high"), both, strict=True)
    }


def _class_f1(whole: Counts, drawn: Counts, images: int, groups: int) -> np.ndarray:
    """Wilson's interval with the effective number of trials; float, shape (classes, 2).

    A class often has so few groups that its own spread says little, or nothing where all of it is
    right: the images of the class are at most as many trials as the design effect of the accuracy,
    over all classes, makes of them.
    """
    present = np.isfinite(whole.f1[0])
    f1, drawn_f1 = whole.f1[0, present], drawn.f1[:, present]
    jaccard, spread = f1 / (2 - f1), np.nanstd(drawn_f1 / (2 - drawn_f1), axis=0)
    union = (whole.support + whole.calls - whole.right)[0, present]
    trials = union / _design_effect(whole.accuracy[0], drawn.accuracy.var(), images, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(spread > ROUNDING, jaccard * (1 - jaccard) / spread**2, np.inf)
    found = _unknown(len(present))
    found[present] = np.column_stack(wilson_f1(f1, np.minimum(own, trials)))
    return found


def _design_effect(accuracy: float, variance: float, images: int, groups: int) -> float:
    """How many images tell as much as one: from 1 to the images of a mean group."""
    most = images / groups
    alone = accuracy * (1 - accuracy) / images
    return float(np.clip(variance / alone, 1, most)) if alone > 0 else most


def _strata(counted: Counts) -> np.ndarray:
    return bootstrap.collapsed(counted.support.argmax(axis=1))


def _resampled(counted: list[Counts], strata: np.ndarray, seed: int) -> list[Counts]:
    """The same draws for each of the counts."""
    tables = [table for one in counted for table in vars(one).values()]
    sums = bootstrap.sums(np.hstack(tables), strata, seed)
    parts = np.split(sums, len(tables), axis=1)
    return [Counts(*parts[start : start + 3]) for start in range(0, len(parts), 3)]


def _unknown(classes: int) -> np.ndarray:
    return np.full((classes, 2), np.nan)
