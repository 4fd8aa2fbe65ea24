"""Images to train on, and batches of them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tensorflow as tf

from trackbed.networks import progressive_resizing
from trackbed.networks.geometry import Geometry
from trackbed.records import reader
from trackbed.training.sampling import epoch_rows, steps

Batch = tuple[np.ndarray, ...]


def shuffled(
    *arrays: np.ndarray,
    batch: int,
    seed: int,
    first_epoch: int = 0,
    share: np.ndarray | None = None,
    geometry: Geometry | None = None,
    sides: Callable[[int], int] | None = None,
) -> tf.data.Dataset:
    """Endless batches; (seed, epoch) alone decides the order of each epoch.

    The arrays, such as images and labels, have the same first dimension. An epoch is
    `steps(len(array), batch)` batches and holds every row once; its last batch may be smaller.
    With `share` (float, shape (rows,), sum 1) the rows of an epoch are sampled with replacement
    instead, each with this probability. `geometry` changes the images, which are the first array;
    (seed, epoch) decides its random values, too. `sides` gives their side in pixels in an epoch,
    see progressive_resizing.
    """
    rows = len(arrays[0])

    def generate() -> Iterator[Batch]:
        for epoch in itertools.count(first_epoch):
            taken, _ = epoch_rows(rows, seed, epoch, share)
            for start in range(0, rows, batch):
                some = taken[start : start + batch]
                first = arrays[0][some]
                if sides:
                    first = progressive_resizing.resized(first, sides(epoch))
                if geometry:
                    first = geometry.changed(first, epoch, start)
                yield first, *(array[some] for array in arrays[1:])

    return _dataset(generate, arrays, any_side=sides is not None)


def in_order(*arrays: np.ndarray, batch: int) -> tf.data.Dataset:
    """All rows of the arrays once, in their order; the last batch may be smaller."""

    def generate() -> Iterator[Batch]:
        for start in range(0, len(arrays[0]), batch):
            yield tuple(array[start : start + batch] for array in arrays)

    cardinality = tf.data.experimental.assert_cardinality(steps(len(arrays[0]), batch))
    return _dataset(generate, arrays).apply(cardinality)


def _dataset(
    generate: Callable[[], Iterator[Batch]], arrays: Batch, *, any_side: bool = False
) -> tf.data.Dataset:
    shapes = [(None, *array.shape[1:]) for array in arrays]
    if any_side:
        shapes[0] = (None, None, None, arrays[0].shape[-1])
    specs = (tf.TensorSpec(*one) for one in zip(shapes, (a.dtype for a in arrays), strict=True))
    return tf.data.Dataset.from_generator(generate, output_signature=tuple(specs)).prefetch(2)


@dataclass(frozen=True)
class Examples:
    """Images, uint8 of shape (images, side, side, 3), and their labels (int; images)."""

    images: np.ndarray | reader.Images
    labels: np.ndarray


def of_images(
    reading: reader.Reading, training: pd.DataFrame, validation: pd.DataFrame
) -> tuple[Examples, Examples]:
    """The images of the rows for training and validation, which are read in this order."""
    middle, end = len(training), len(training) + len(validation)
    return (
        Examples(reading.part(0, middle), training["label"].to_numpy()),
        Examples(reading.part(middle, end), validation["label"].to_numpy()),
    )
