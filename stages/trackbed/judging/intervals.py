"""How far scores could lie from the truth by chance: bootstrap intervals over groups."""

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def macro_f1_and_accuracy(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % intervals of 'macro_f1' and 'accuracy', each (low, high).

    labels, predicted: int, shape (images,); groups: any, shape (images,). Percentile bootstrap
    that draws whole groups, within the class that each group mostly belongs to: frames of one
    object are not independent, and drawing single images gave intervals four times too narrow
    on traffic signs (cluster bootstrap, Field and Welsh 2007). Where a class has a single group,
    which would come out the same every time, groups are drawn without regard to class. Classes
    without images stay out of the macro average.
    """
    right, support, calls, strata = _group_counts(labels, predicted, groups, classes)
    weights = _draws(strata, np.random.default_rng(seed))
    right, support, calls = weights @ right, weights @ support, weights @ calls
    return {
        "macro_f1": _interval(_macro_f1(right, support, calls)),
        "accuracy": _interval(right.sum(axis=1) / support.sum(axis=1)),
    }


def macro_f1_difference(
    labels: np.ndarray,
    predicted: tuple[np.ndarray, np.ndarray],
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> tuple[float, float, float]:
    """By how much the first predictions have a higher macro F1, with its 95 % interval (low, high).

    Paired: both are judged on the same draws of groups, drawn as in `macro_f1_and_accuracy`.
    """
    drawn, whole = [], []
    for answers in predicted:
        *counts, strata = _group_counts(labels, answers, groups, classes)
        weights = _draws(strata, np.random.default_rng(seed))
        drawn.append(_macro_f1(*(weights @ count for count in counts)))
        whole.append(_macro_f1(*(count.sum(axis=0)[None] for count in counts))[0])
    return float(whole[0] - whole[1]), *_interval(drawn[0] - drawn[1])


def share(
    counted: np.ndarray, of: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int
) -> tuple[float, float]:
    """95 % interval (low, high) of the share of `counted` images among those in `of`.

    counted, of: bool, shape (images,), the first within the second. Groups are drawn as in
    `macro_f1_and_accuracy`; draws without an image in `of` do not count, and where there is no
    such image at all the interval is (NaN, NaN).
    """
    if not of.any():
        return (np.nan, np.nan)
    names, group = np.unique(groups, return_inverse=True)
    *_, strata = _group_counts(labels, labels, groups, int(labels.max()) + 1)
    weights = _draws(strata, np.random.default_rng(seed))
    hits, images = (weights @ np.bincount(group, one, len(names)) for one in (counted, of))
    return _interval(hits[images > 0] / images[images > 0])


def _macro_f1(right: np.ndarray, support: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Of every draw; each of the counts has shape (draws, classes)."""
    with np.errstate(invalid="ignore"):
        f1 = np.where(support > 0, 2 * right / (support + calls), np.nan)
    return np.nanmean(f1, axis=1)


def _group_counts(
    labels: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Per group: right answers, images and calls per class, and the most frequent class."""
    names, group = np.unique(groups, return_inverse=True)
    right, support, calls = np.zeros((3, len(names), classes))
    np.add.at(support, (group, labels), 1)
    np.add.at(calls, (group, predicted), 1)
    hit = labels == predicted
    np.add.at(right, (group[hit], labels[hit]), 1)
    return right, support, calls, support.argmax(axis=1)


def _draws(strata: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How often each group is drawn, shape (resamples, groups)."""
    if np.bincount(strata)[np.unique(strata)].min() < 2:
        strata = np.zeros_like(strata)
    weights = np.empty((RESAMPLES, len(strata)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        even = np.full(len(members), 1 / len(members))
        weights[:, members] = random.multinomial(len(members), even, size=RESAMPLES)
    return weights


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def beside(values: dict[str, float], intervals: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Scores with `<score>_low` and `<score>_high` right behind those that have an interval."""
    rows = {}
    for name, value in values.items():
        rows[name] = value
        if name in intervals:
            rows[f"{name}_low"], rows[f"{name}_high"] = intervals[name]
    return rows
