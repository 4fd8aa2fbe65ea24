"""Intervals of shares from what is known of their spread; all shares are 0 to 1."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

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
