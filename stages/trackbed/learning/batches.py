"""Batches for training and prediction out of arrays, of which only a batch is copied at a time."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

Batch = tuple[np.ndarray, ...]


def shuffled(
    *arrays: np.ndarray,
    batch: int,
    seed: int,
    first_epoch: int = 0,
    share: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Endless batches, every epoch in an order of its own that (seed, epoch) alone decides.

    The arrays, such as images and labels, have one first dimension in common. An epoch is
    `steps(len(array), batch)` batches and holds every row once; its last batch may be smaller.
    With `share` (float, shape (rows,), sum 1) the rows of an epoch are drawn with replacement
    instead, each with this probability: some come several times, others not at all.
    """
    rows = len(arrays[0])

    def draw() -> Iterator[Batch]:
        for epoch in itertools.count(first_epoch):
            random = np.random.default_rng([seed, epoch])
            order = (
                random.permutation(rows) if share is None else random.choice(rows, rows, p=share)
            )
            for start in range(0, rows, batch):
                yield tuple(array[order[start : start + batch]] for array in arrays)

    return _dataset(draw, arrays)


def in_order(*arrays: np.ndarray, batch: int) -> tf.data.Dataset:
    """All rows of the arrays once, in their order; the last batch may be smaller."""

    def draw() -> Iterator[Batch]:
        for start in range(0, len(arrays[0]), batch):
            yield tuple(array[start : start + batch] for array in arrays)

    cardinality = tf.data.experimental.assert_cardinality(steps(len(arrays[0]), batch))
    return _dataset(draw, arrays).apply(cardinality)


def steps(rows: int, batch: int) -> int:
    """Batches in one epoch."""
    return -(-rows // batch)


def _dataset(draw: Callable[[], Iterator[Batch]], arrays: Batch) -> tf.data.Dataset:
    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
    return tf.data.Dataset.from_generator(draw, output_signature=signature).prefetch(2)
