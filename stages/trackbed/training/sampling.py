"""Which rows an epoch takes and how much each counts, the same for images and embeddings."""

import numpy as np


def epoch_rows(
    rows: int, seed: int, epoch: int, share: np.ndarray | None = None, views: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of an epoch in its order, and for each one of its views: int, shape (rows,).

    (seed, epoch) alone decides. Every row comes once; with `share` (float, shape (rows,), sum 1)
    rows are sampled with replacement instead, each with this probability.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(rows) if share is None else random.choice(rows, rows, p=share)
    return order, random.integers(views, size=rows)


def steps(rows: int, batch: int) -> int:
    """Batches in one epoch."""
    return -(-rows // batch)


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight per image, float32, that gives all classes the same total weight; the mean is 1.

    labels: int, shape (images,). As scikit-learn's class_weight="balanced": images / (classes *
    images of the class).
    """
    counts = np.bincount(labels)
    present = np.count_nonzero(counts)
    return (len(labels) / (present * counts[labels])).astype(np.float32)
