"""Losses by name, and what unequal class counts do to them and to the epochs."""

import keras
import numpy as np


def loss(name: str, *, label_smoothing: float, gamma: float) -> keras.losses.Loss:
    """'crossentropy', or 'focal' (Lin et al. 2017, arXiv 1708.02002) with the given gamma.

    The focal loss is the cross-entropy times (1 - p) ** gamma, without class weights of its own.
    """
    if name == "crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    return keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=gamma, label_smoothing=label_smoothing
    )


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight per image, float32, that makes all classes weigh the same; its mean is 1.

    labels: int, shape (images,). As scikit-learn's class_weight="balanced": images / (classes *
    images of the class).
    """
    counts = np.bincount(labels)
    present = np.count_nonzero(counts)
    return (len(labels) / (present * counts[labels])).astype(np.float32)
