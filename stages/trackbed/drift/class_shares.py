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
    estimated: by expectation maximisation, with low and high ends of a 95 % interval.
    """

    held_out: np.ndarray
    counted: np.ndarray
    estimated: np.ndarray
    low: np.ndarray
    high: np.ndarray


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
    estimated = shares_by_em(calibration.probabilities(unknown), calibration.shares)
    resampled = _resampled(known, labels, unknown, groups, calibration, seed)
    low, high = np.percentile(resampled, INTERVAL, axis=0)
    return ClassShares(
        held_out=np.bincount(labels, minlength=classes) / len(labels),
        counted=np.bincount(new.argmax(axis=1), minlength=classes) / len(new),
        estimated=estimated,
        low=np.minimum(low, estimated),
        high=np.maximum(high, estimated),
    )


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

    probabilities: calibrated where the classes have these shares, shape (images, classes);
    weights: of the images. Expectation maximisation (Saerens, Latinne and Decaestecker 2002,
    Adjusting the Outputs of a Classifier to New a Priori Probabilities).
    """
    ratios = probabilities / np.maximum(shares, np.finfo(float).tiny)
    found = shares / shares.sum()
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
    seed: int,
) -> np.ndarray:
    """Shares from resampled groups of both: float, shape (RESAMPLES, classes)."""
    random = np.random.default_rng(seed)
    of_known, of_unknown = (np.unique(names, return_inverse=True)[1] for names in groups)
    rows = []
    for _ in range(RESAMPLES):
        weights = [_multiplicities(of, random) for of in (of_known, of_unknown)]
        again = calibrated(known, labels, weights[0], calibration)
        rows.append(shares_by_em(again.probabilities(unknown), again.shares, weights[1]))
    return np.array(rows)


def _multiplicities(group_numbers: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """How often every image is in a sample of as many groups, with replacement."""
    count = group_numbers.max() + 1
    return np.bincount(random.integers(count, size=count), minlength=count)[group_numbers].astype(
        float
    )
