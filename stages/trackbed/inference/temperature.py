"""Probabilities with a temperature (Guo et al. 2017, arXiv 1706.04599)."""

import numpy as np

# Softmax in float32 gives 0 where a probability is smaller; 0 has no logarithm.
SMALLEST = float(np.finfo(np.float32).tiny)


def with_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log(probabilities) / temperature): float64, shape (images, classes).

    The order of the classes of an image stays, and with it the answer; above 1 the answer becomes
    less sure.
    """
    return np.exp(log_softmax(logits(probabilities) / temperature))


def logits(probabilities: np.ndarray) -> np.ndarray:
    """The logarithms of probabilities: float64, finite."""
    return np.log(np.maximum(probabilities, SMALLEST, dtype=np.float64))


def log_softmax(values: np.ndarray) -> np.ndarray:
    """The logarithm of the softmax over the last axis."""
    shifted = values - values.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
