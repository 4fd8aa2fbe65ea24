"""Precision-recall and ROC curves of every class against the rest, with their areas.

The areas are the average precision (AP) and the area under the ROC curve (AUROC), both 0 to 1. They
use the probabilities alone, not the predicted class, so they hold for every threshold at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.evaluation import bootstrap, intervals
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

AREAS = ("average_precision", "auroc")
BOUNDED = [f"{area}{end}" for area in AREAS for end in ("", "_low", "_high")]
# A row per class in label order, and a last one of their means.
RANKING_TABLE = TableFile(
    "ranking.csv",
    {"class_name": "str", "support": "int64", **dict.fromkeys(BOUNDED, "float64")},
    EVALUATION_REMEDY,
    empty_is_nan=True,
    float_format="%.6f",
)
MEAN = "macro avg"  # name of the last row
FEWEST_DEGREES = 2  # with one, an interval of two groups has nearly all of 0 to 1


@dataclass(frozen=True)
class Curve:
    """What each threshold accepts, from the highest threshold on; float, shape (thresholds,).

    thresholds: the different probabilities; an image is accepted at or above one. right, wrong: the
    accepted images of the class and of the others. The last threshold accepts all images.
    """

    thresholds: np.ndarray
    right: np.ndarray
    wrong: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """Share of the accepted images that are of the class."""
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> np.ndarray:
        """Share of the images of the class that are accepted; NaN where there are none."""
        return _shares(self.right)

    @property
    def false_alarms(self) -> np.ndarray:
        """Share of the other images that are accepted; NaN where there are none."""
        return _shares(self.wrong)


def curve(probabilities: np.ndarray, positive: np.ndarray) -> Curve:
    """The curve of a class.

    probabilities: of the class, float; positive: bool, whether an image is of it; both of shape
    (images,), at least one image.
    """
    thresholds, _, accepted, right = _accepted(probabilities, positive)
    return Curve(thresholds, right, accepted - right)


def table(
    probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray, classes: list[str]
) -> pd.DataFrame:
    """AP and AUROC of every class and their means with 95 % intervals, columns as RANKING_TABLE.

    probabilities: float, shape (images, classes); labels: int, groups: any, shape (images,).
    NaN for a class without images or without others; the means leave it out. The intervals are of
    the groups, as all others: see `_interval`.
    """
    counted = bootstrap.counts(labels, labels, groups, len(classes))
    strata = bootstrap.strata(counted)
    group = np.unique(groups, return_inverse=True)[1]
    values = np.full((len(AREAS), len(classes)), np.nan)
    shares = np.zeros((len(AREAS), len(classes), len(strata)))  # what each group adds to an area
    support, trials = np.bincount(labels, minlength=len(classes)), (counted.support > 0).sum(axis=0)
    for label in np.flatnonzero((support > 0) & (support < len(labels))):
        found = areas(probabilities[:, label], labels == label)
        for place, (value, influence) in enumerate(found):
            values[place, label] = value
            shares[place, label] = np.bincount(group, influence, len(strata))
    rows = [
        [
            name,
            int(support[label]),
            *_row(values[:, label], shares[:, label], strata, trials[label]),
        ]
        for label, name in enumerate(classes)
    ]
    known = np.isfinite(values[0])
    last = [np.nan] * len(BOUNDED)
    if known.any():
        means = values[:, known].mean(axis=1), shares[:, known].mean(axis=1)
        last = _row(*means, strata, len(strata))
    return RANKING_TABLE.rows([*rows, [MEAN, len(labels), *last]])


def areas(probabilities: np.ndarray, positive: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """AP and AUROC of a class, each with the influence of every image on it.

    Shapes as in `curve`; both kinds of images are needed. AP is the mean precision at the images of
    the class, scikit-learn's average_precision_score; of equal probabilities all are accepted at
    once. AUROC is the share of pairs of both kinds in which the image of the class has the higher
    probability; equal ones count half. An influence is the derivative by the weight of the image,
    float, shape (images,); for each area they add up to 0.
    """
    _, place, accepted, right = _accepted(probabilities, positive)
    return [
        _average_precision(place, positive, accepted, right),
        _auroc(place, positive, accepted, right),
    ]


def _average_precision(
    place: np.ndarray, positive: np.ndarray, accepted: np.ndarray, right: np.ndarray
) -> tuple[float, np.ndarray]:
    precision, own = right / accepted, np.diff(right, prepend=0)
    value = float((precision * own).sum() / right[-1])
    # An image counts in the precision at its own threshold and at all lower ones.
    as_right = (own / accepted)[::-1].cumsum()[::-1][place]
    as_accepted = (own * right / accepted**2)[::-1].cumsum()[::-1][place]
    influence = positive * (precision[place] + as_right - value) - as_accepted
    return value, influence / right[-1]


def _auroc(
    place: np.ndarray, positive: np.ndarray, accepted: np.ndarray, right: np.ndarray
) -> tuple[float, np.ndarray]:
    def beaten(kind: np.ndarray) -> np.ndarray:
        """Share of the images of a kind with a lower probability, equal ones by half."""
        return 1 - (kind - np.diff(kind, prepend=0) / 2)[place] / kind[-1]

    wrong = accepted - right
    won = np.where(positive, beaten(wrong), 1 - beaten(right))
    value = float(won[positive].mean())
    return value, (won - value) / np.where(positive, right[-1], wrong[-1])


def _row(values: np.ndarray, shares: np.ndarray, strata: np.ndarray, trials: int) -> list[float]:
    """Values with their intervals; shares: float, shape (areas, groups)."""
    return [
        each
        for value, of_groups in zip(values, shares, strict=True)
        for each in (value, *_interval(value, of_groups, strata, trials))
    ]


def _interval(
    value: float, shares: np.ndarray, strata: np.ndarray, trials: int
) -> tuple[float, float]:
    """Student's t on the log odds, with the variance of the bootstrap over groups.

    shares: the influences of each group, added up, shape (groups,); strata: as in bootstrap. The
    variance is the one that the rescaling bootstrap of `bootstrap.resampled_sums` has for these
    sums, so it is not sampled; the degrees of freedom are those of Satterthwaite (1946), but
    FEWEST_DEGREES or more. An area of 1 or 0 has no spread: each of the `trials` groups with images
    of the class is then a trial of Wilson's interval. A single such group gives no interval.
    """
    if not np.isfinite(value) or trials < 2:
        return intervals.UNKNOWN
    sizes = np.bincount(strata)
    centred = shares - (np.bincount(strata, shares) / np.maximum(sizes, 1))[strata]
    several = sizes > 1
    variances = np.bincount(strata, centred**2, len(sizes))[several]
    variances *= sizes[several] / (sizes[several] - 1)
    variance = float(variances.sum())
    if variance <= intervals.ROUNDING**2 or not intervals.ROUNDING < value < 1 - intervals.ROUNDING:
        return tuple(map(float, intervals.wilson(value, trials)))
    degrees = variance**2 / (variances**2 / (sizes[several] - 1)).sum()
    degrees = max(degrees, FEWEST_DEGREES)
    return intervals.logit_t(value, variance**0.5, degrees)


def _accepted(
    probabilities: np.ndarray, positive: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The thresholds, falling; that of each image; the images at or above each, all and right."""
    thresholds, place = np.unique(-probabilities, return_inverse=True)
    counts = (np.bincount(place, weights, len(thresholds)) for weights in (None, positive))
    accepted, right = (count.cumsum().astype(float) for count in counts)
    return -thresholds, place, accepted, right


def _shares(counts: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return counts / counts[-1]
