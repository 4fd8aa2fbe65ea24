"""Confidence intervals of scores, from a bootstrap over groups; all shares are 0 to 1."""

from dataclasses import dataclass

import numpy as np

from trackbed.evaluation import bootstrap
from trackbed.evaluation.bootstrap import Counts, counts

LEVEL = 0.95
UNKNOWN = (np.nan, np.nan)
ROUNDING = 1e-9  # a smaller deviation counts as none


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
    """Of macro F1, accuracy and the F1 of every class; method and reasons: docs/scores.md.

    labels, predicted: int, shape (images,); groups: any, shape (images,). Frames of one object are
    not independent, so whole groups are resampled (cluster bootstrap, Field and Welsh 2007), within
    the class that a group mostly belongs to; see bootstrap.resampled_sums.
    """
    counted = counts(labels, predicted, groups, classes)
    if len(counted.support) < 2:
        return Intervals(dict.fromkeys(("macro_f1", "accuracy"), UNKNOWN), _unknown(classes))
    strata = bootstrap.strata(counted)
    (resampled,) = bootstrap.resampled([counted], strata, seed)
    whole, degrees = counted.whole, bootstrap.degrees_of_freedom(strata)
    number = len(counted.support)
    overall = {
        name: share_interval(getattr(whole, name)[0], getattr(resampled, name), degrees, number)
        for name in ("macro_f1", "accuracy")
    }
    return Intervals(overall, _class_f1(whole, resampled, len(labels), number))


def bounds(overall: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Intervals as the values '<score>_low' and '<score>_high' of evaluate.json."""
    return {
        f"{name}_{end}": value
        for name, both in overall.items()
        for end, value in zip(("low", "high"), both, strict=True)
    }


def macro_f1_difference(
    labels: np.ndarray,
    predicted: tuple[np.ndarray, np.ndarray],
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> tuple[float, float, float]:
    """Macro F1 of the first predictions less that of the second, and its 95 % interval (low, high).

    Paired: both are evaluated on the same resampled groups, see `intervals`. Student's t, cut to
    -1 to 1: a difference of shares is nothing else. A single group has no interval: NaN.
    """
    counted = [counts(labels, each, groups, classes) for each in predicted]
    value = float(np.subtract(*(one.whole.macro_f1[0] for one in counted)))
    if len(counted[0].support) < 2:
        return value, *UNKNOWN
    strata = bootstrap.strata(counted[0])
    first, second = bootstrap.resampled(counted, strata, seed)
    degrees = bootstrap.degrees_of_freedom(strata)
    if not degrees:
        return value, *UNKNOWN
    reach = float((first.macro_f1 - second.macro_f1).std())
    if reach:  # of equal answers it is 0, and SciPy need not be imported
        reach *= t_quantile((1 + LEVEL) / 2, degrees)
    return value, max(value - reach, -1.0), min(value + reach, 1.0)


def accuracy(
    right: np.ndarray,
    strata: np.ndarray,
    groups: np.ndarray,
    effect: float,
    seed: int,
    levels: list[float],
) -> list[tuple[float, float]]:
    """Intervals of the accuracy on some of the images, (low, high) for each level.

    right: bool; strata: int, the class; groups: any; all of shape (images,). effect: see
    `design_effect`. Wilson's interval, with as many trials as the spread over the groups gives, at
    most the images divided by the design effect, as for the F1 of a class. Within a single group
    images count as independent: the interval is then about this group alone.
    """
    wrong = strata.max() + 1
    counted = counts(strata, np.where(right, strata, wrong), groups, wrong + 1)
    share, trials = float(right.mean()), float(len(right))
    if len(counted.support) > 1:
        (resampled,) = bootstrap.resampled([counted], bootstrap.strata(counted), seed)
        variance, trials = resampled.accuracy.var(), trials / effect
        if variance > ROUNDING**2:
            trials = min(trials, share * (1 - share) / variance)
    return [tuple(map(float, wilson(share, trials, level))) for level in levels]


def design_effect(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> float:
    """Variance of the accuracy over groups, relative to independent images.

    From 1, independent images, to the images of a mean group.
    """
    counted = counts(labels, predicted, groups, classes)
    (resampled,) = bootstrap.resampled([counted], bootstrap.strata(counted), seed)
    share = counted.whole.accuracy[0]
    return _design_effect(share, resampled.accuracy.var(), len(labels), len(counted.support))


def share_interval(
    share: float, resampled: np.ndarray, degrees: int, groups: int, level: float = LEVEL
) -> tuple[float, float]:
    """The interval of a score of 0 to 1 from its values on the resampled test parts.

    Where all answers are right, or none, the dependence within groups cannot be estimated: each
    group then counts as one trial of Wilson's interval.
    """
    deviation = resampled.std()
    if deviation > ROUNDING and 0 < share < 1:
        return logit_t(share, deviation, degrees, level)
    low, high = wilson(share, groups, level)
    return float(low), float(high)


def logit_t(
    share: float, deviation: float, degrees: int, level: float = LEVEL
) -> tuple[float, float]:
    """Student's t interval on the scale of the log odds, transformed back: it stays within 0 to 1.

    deviation: standard deviation of the share, by the delta method divided by share (1 - share) on
    the other scale; degrees: degrees of freedom of its estimate. The usual interval for shares of
    clustered samples (`svyciprop` of R's survey package, SAS SURVEYFREQ). For a share strictly
    between 0 and 1.
    """
    from scipy.special import expit, logit

    middle = logit(share)
    reach = t_quantile((1 + level) / 2, degrees) * deviation / (share * (1 - share))
    return float(expit(middle - reach)), float(expit(middle + reach))


def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t distribution: scipy.stats.t.ppf, which takes long to import."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal distribution, scipy.stats.norm.ppf."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def wilson(
    share: np.ndarray | float, trials: np.ndarray | float, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """The score interval of Wilson (1927) of a share of so many independent trials.

    trials need not be whole: fewer than the images where images of a group depend on each other,
    the effective sample size (Korn and Graubard 1998, Confidence Intervals for Proportions With
    Small Expected Number of Positive Counts Estimated From Survey Data).
    """
    square = normal_quantile((1 + level) / 2) ** 2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    spread = share * (1 - share) / trials + square / (4 * trials**2)
    half = np.sqrt(square * spread) / (1 + square / trials)
    # It contains the share and lies within 0 to 1; rounding may put it slightly outside.
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return np.maximum(low, 0), np.minimum(high, 1)


def wilson_f1(
    f1: np.ndarray, trials: np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of an F1, by the share that it is a function of.

    Of all images that are of a class or predicted as it, `trials` if they were independent, the
    share J that is both gives F1 = 2 J / (1 + J): the indirect method of Lam, Gopal and Qian (2023,
    arXiv 2309.14621).
    """
    low, high = wilson(f1 / (2 - f1), trials, level)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def _class_f1(whole: Counts, resampled: Counts, images: int, groups: int) -> np.ndarray:
    """Wilson's interval with the effective number of trials; float, shape (classes, 2).

    A class often has so few groups that its own spread is a poor estimate, or zero where all its
    answers are right: its trials are at most its images divided by the design effect of the
    accuracy, over all classes.
    """
    present = np.isfinite(whole.f1[0])
    f1, resampled_f1 = whole.f1[0, present], resampled.f1[:, present]
    jaccard, spread = f1 / (2 - f1), np.nanstd(resampled_f1 / (2 - resampled_f1), axis=0)
    union = (whole.support + whole.calls - whole.right)[0, present]
    trials = union / _design_effect(whole.accuracy[0], resampled.accuracy.var(), images, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(spread > ROUNDING, jaccard * (1 - jaccard) / spread**2, np.inf)
    found = _unknown(len(present))
    found[present] = np.column_stack(wilson_f1(f1, np.minimum(own, trials)))
    return found


def _design_effect(accuracy: float, variance: float, images: int, groups: int) -> float:
    """See `design_effect`; the images of a mean group where all answers are right, or none."""
    most = images / groups
    alone = accuracy * (1 - accuracy) / images
    return float(np.clip(variance / alone, 1, most)) if alone > 0 else most


def _unknown(classes: int) -> np.ndarray:
    return np.full((classes, 2), np.nan)
