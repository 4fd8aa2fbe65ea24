"""Images to train on, and batches of them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import tensorflow as tf

from trackbed.networks.geometry import Geometry
from trackbed.records import reader
from trackbed.training.sampling import epoch_rows, steps

Batch = tuple[np.ndarray, ...]
# Of progressive resizing.
DELAY = 0.3  # share of the epochs with the smallest side
FULL = 0.4  # share of the epochs with the full side, at the end
MULTIPLE = 4  # sides between are multiples of it, in pixels
SMALLEST = 16  # pixels, unless the full side is smaller


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
    see `progressive_sides`.
    """
    rows = len(arrays[0])

    def generate() -> Iterator[Batch]:
        for epoch in itertools.count(first_epoch):
            taken, _ = epoch_rows(rows, seed, epoch, share)
            for start in range(0, rows, batch):
                some = taken[start : start + batch]
                first = arrays[0][some]
                if sides:
                    first = resized(first, sides(epoch))
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


def progressive_sides(side: int, initial_scale: float, epochs: int) -> Callable[[int], int]:
    """The side of the training images in pixels, as a function of the epoch, from 0.

    initial_scale: smallest side as a share of `side`, above 0, to 1. The side is constant at
    first, then grows linearly, and is the full one at the end, where the network learns the
    details and its statistics. The recipe is that of Composer (MosaicML 2022, docs.mosaicml.com,
    Progressive Image Resizing) and of fast.ai's entry to DAWNBench (Howard 2018).
    """

    def of(epoch: int) -> int:
        if epoch >= first_full_epoch(initial_scale, epochs):
            return side
        grown = max(0.0, (epoch / epochs - DELAY) / (1 - DELAY - FULL))
        scale = initial_scale + (1 - initial_scale) * grown
        return min(side, max(SMALLEST, round(scale * side / MULTIPLE) * MULTIPLE))

    return of


def first_full_epoch(initial_scale: float, epochs: int) -> int:
    """The epoch, counted from 0, from which on images have the full side."""
    return 0 if initial_scale == 1 else min(epochs - 1, round((1 - FULL) * epochs))


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """The images shrunk to a square; uint8, shape (images, height, width, 3).

    Every pixel is the mean of those it covers, so that no detail aliases.
    """
    if images.shape[1:3] == (side, side):
        return images
    found = np.empty((len(images), side, side, images.shape[3]), images.dtype)
    for image, target in zip(images, found, strict=True):
        cv2.resize(image, (side, side), target, interpolation=cv2.INTER_AREA)
    return found


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
