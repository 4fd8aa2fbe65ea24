"""Class shares of new pictures from a model's probabilities, where only the shares have changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from trackbed.inference.temperature import log_softmax, logits

STEPS = 1000  # of expectation maximisation
PRECISION = 1e-7  # of a share, at which it ends
# On the biases of the calibration, as that many pictures: a class with few held-out pictures
# keeps the bias of the others.
PENALTY = 30.0
RESAMPLES = 200
FOLDS = 5  # of held-out groups, for the weight of expectation maximisation
DELIVERIES = 60  # of held-out pictures with other shares, on which that weight is found
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Calibration:
    """Scale and bias of the logits, with which probabilities are right as often as they say.

    shares: of the classes in the pictures that it was fitted on, float, shape (classes,).
    """

    scale: float
    bias: np.ndarray
    shares: np.ndarray

    def probabilities(self, model_logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities: float64, shape (images, classes)."""
        return np.exp(log_softmax(model_logits * self.scale + self.bias))


@dataclass(frozen=True)
class ClassShares:
    """Shares of the classes, float64, shape (classes,), 0 to 1 each.

    held_out: by the labels of the held-out pictures. counted: by the answers for the new ones.
    estimated: the mean of counted shares and those by expectation maximisation, which has this
    weight (0 to 1), with low and high ends of a 95 % interval.
    """

    held_out: np.ndarray
    counted: np.ndarray
    estimated: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weight: float


def class_shares(
    held_out: np.ndarray,
    labels: np.ndarray,
    new: np.ndarray,
    groups: tuple[np.ndarray, np.ndarray],
    seed: int = 0,
) -> ClassShares:
    """The shares in new pictures, if pictures of a class look as they did.

    held_out, new: the model's probabilities, float, shape (images, classes); labels: of the
    held-out pictures, int. groups: of held-out and new pictures, what the bootstrap for the
    interval resamples as a whole.
    """
    known, unknown = logits(held_out), logits(new)
    classes = known.shape[1]
    calibration = calibrated(known, labels)
    by_em = shares_by_em(calibration.probabilities(unknown), calibration.shares)
    counted = np.bincount(new.argmax(axis=1), minlength=classes) / len(new)
    weight = weight_of_em(known, labels, groups[0], len(np.unique(groups[1])), seed)
    estimated = counted + weight * (by_em - counted)
    resampled = _resampled(known, labels, unknown, groups, calibration, weight, seed)
    low, high = np.percentile(resampled, INTERVAL, axis=0)
    return ClassShares(
        held_out=np.bincount(labels, minlength=classes) / len(labels),
        counted=counted,
        estimated=estimated,
        low=np.minimum(low, estimated),
        high=np.maximum(high, estimated),
        weight=weight,
    )


def weight_of_em(
    model_logits: np.ndarray, labels: np.ndarray, groups: np.ndarray, new_groups: int, seed: int
) -> float:
    """The weight beside counted answers with which shares by EM are nearest to the truth, 0 to 1.

    Found on held-out pictures: groups are sampled with random shares of the classes (Dirichlet,
    uniform), and those pictures counted and estimated with a calibration that was fitted without
    them. EM corrects errors that repeat, and enlarges those by chance where there are few groups.
    """
    answers = np.eye(model_logits.shape[1])[model_logits.argmax(axis=1)]
    truth = np.eye(model_logits.shape[1])[labels]
    numbers = np.unique(groups, return_inverse=True)[1]
    random = np.random.default_rng([seed, 2])
    found = _cross_fitted(model_logits, labels, numbers, random)
    if found is None:
        return 0.0
    products = squares = 0.0
    for _ in range(DELIVERIES):
        weights = _shifted(truth, numbers, new_groups, random)
        taken = weights > 0
        by_em = shares_by_em(*(one[taken] for one in found), weights[taken])
        counted, true = (np.average(one, axis=0, weights=weights) for one in (answers, truth))
        products += ((true - counted) * (by_em - counted)).sum()
        squares += np.square(by_em - counted).sum()
    return float(np.clip(products / squares, 0, 1)) if squares else 1.0


def _cross_fitted(
    model_logits: np.ndarray, labels: np.ndarray, groups: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Calibrated probabilities and the shares that they hold for, fitted on other groups.

    Both float, shape (images, classes); None for a single group.
    """
    count = groups.max() + 1
    if count < 2:
        return None
    folds = (random.permutation(count) % min(FOLDS, count))[groups]
    probabilities, shares = (np.empty(model_logits.shape) for _ in range(2))
    for fold in np.unique(folds):
        inside = folds == fold
        calibration = calibrated(model_logits[~inside], labels[~inside])
        probabilities[inside] = calibration.probabilities(model_logits[inside])
        shares[inside] = calibration.shares
    return probabilities, shares


def _shifted(
    truth: np.ndarray, groups: np.ndarray, new_groups: int, random: np.random.Generator
) -> np.ndarray:
    """How often every image is in a sample of groups with other shares of the classes.

    truth: float 0 or 1, shape (images, classes).
    """
    count = groups.max() + 1
    chances = np.bincount(groups, truth @ random.dirichlet(np.ones(truth.shape[1])), count)
    chances /= np.bincount(groups, minlength=count)
    chosen = random.choice(count, min(new_groups, count), p=chances / chances.sum())
    return np.bincount(chosen, minlength=count)[groups].astype(float)


def calibrated(
    model_logits: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    start: Calibration | None = None,
) -> Calibration:
    """Temperature and biases with the highest likelihood (Alexandari et al. 2020, BCTS).

    model_logits: float, shape (images, classes); labels: int; weights: of the images, default 1.
    start: from where few steps suffice. Source: arXiv 1901.06852.
    """
    images, classes = model_logits.shape
    weights = np.ones(images) if weights is None else weights
    total = weights.sum()
    target = np.zeros((images, classes))
    target[np.arange(images), labels] = 1

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, bias = np.exp(values[0]), values[1:]
        log_probabilities = log_softmax(model_logits * scale + bias)
        error = (np.exp(log_probabilities) - target) * weights[:, None]
        penalty = PENALTY * np.square(bias - bias.mean()).sum() / 2
        value = -(log_probabilities[np.arange(images), labels] * weights).sum() + penalty
        slope = (error * model_logits).sum() * scale
        slopes = error.sum(axis=0) + PENALTY * (bias - bias.mean())
        return value / total, np.concatenate([[slope], slopes]) / total

    first = np.zeros(classes + 1) if start is None else np.array([np.log(start.scale), *start.bias])
    options = {"maxiter": 200 if start is None else 8}
    bounds = [(-3.0, 3.0)] + [(-10.0, 10.0)] * classes
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    scale, bias = float(np.exp(found.x[0])), found.x[1:]
    fitted = np.exp(log_softmax(model_logits * scale + bias))
    return Calibration(scale, bias, np.average(fitted, axis=0, weights=weights))


def shares_by_em(
    probabilities: np.ndarray, shares: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """The most likely shares, float64, shape (classes,), that sum to 1.

    probabilities: calibrated where the classes have these shares, shape (images, classes); shares:
    float, shape (classes,), or of every image, shape (images, classes). weights: of the images.
    Expectation maximisation (Saerens, Latinne and Decaestecker 2002, Adjusting the Outputs of a
    Classifier to New a Priori Probabilities).
    """
    ratios = probabilities / np.maximum(shares, np.finfo(float).tiny)
    found = np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    for _ in range(STEPS):
        joint = ratios * found
        posterior = joint / np.maximum(joint.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        before, found = found, np.average(posterior, axis=0, weights=weights)
        if np.abs(found - before).max() < PRECISION:
            break
    return found


def _resampled(
    known: np.ndarray,
    labels: np.ndarray,
    unknown: np.ndarray,
    groups: tuple[np.ndarray, np.ndarray],
    calibration: Calibration,
    weight: float,
    seed: int,
) -> np.ndarray:
    """Estimated shares from resampled groups of both: float, shape (RESAMPLES, classes)."""
    answers = np.eye(unknown.shape[1])[unknown.argmax(axis=1)]
    random = np.random.default_rng(seed)
    of_known, of_unknown = (np.unique(names, return_inverse=True)[1] for names in groups)
    rows = []
    for _ in range(RESAMPLES):
        weights = [_multiplicities(of, random) for of in (of_known, of_unknown)]
        again = calibrated(known, labels, weights[0], calibration)
        by_em = shares_by_em(again.probabilities(unknown), again.shares, weights[1])
        counted = np.average(answers, axis=0, weights=weights[1])
        rows.append(counted + weight * (by_em - counted))
    return np.array(rows)


def _multiplicities(group_numbers: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How often every image is in a sample of as many groups, with replacement."""
    count = group_numbers.max() + 1
    return np.bincount(random.integers(count, size=count), minlength=count)[group_numbers].astype(
        float
    )
