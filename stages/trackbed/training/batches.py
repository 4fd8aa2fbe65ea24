"""Training examples, images or embeddings, and batches of them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from trackbed.networks import embeddings
from trackbed.networks.geometry import Geometry
from trackbed.records import embedding_store, reader
from trackbed.training.sampling import epoch_rows, steps

Batch = tuple[np.ndarray, ...]


def shuffled(
    *arrays: np.ndarray,
    batch: int,
    seed: int,
    first_epoch: int = 0,
    share: np.ndarray | None = None,
    views: bool = False,
    resident: bool = False,
    geometry: Geometry | None = None,
) -> tf.data.Dataset:
    """Endless batches; (seed, epoch) alone decides the order of each epoch.

    The arrays, such as images and labels, have the same first dimension. An epoch is
    `steps(len(array), batch)` batches and holds every row once; its last batch may be smaller.
    With `share` (float, shape (rows,), sum 1) the rows of an epoch are sampled with replacement
    instead, each with this probability. With `views` the first array has shape
    (rows, views, ...), and each row of an epoch is one of its views. `resident` copies the arrays
    into TensorFlow, which then needs Python only once per epoch: for arrays whose batches take
    less time to train on than to collect in Python. `geometry` changes the images, which are the
    first array; (seed, epoch) decides its random values, too.
    """
    rows, count = len(arrays[0]), arrays[0].shape[1] if views else 1

    def epochs() -> Iterator[Batch]:
        for epoch in itertools.count(first_epoch):
            yield epoch_rows(rows, seed, epoch, share, count)

    if resident:
        return _gathered(epochs, arrays, batch, views=views)

    def generate() -> Iterator[Batch]:
        for epoch, (taken, view) in enumerate(epochs(), first_epoch):
            for start in range(0, rows, batch):
                some = taken[start : start + batch]
                place = (some, view[start : start + batch]) if views else some
                first = arrays[0][place]
                if geometry:
                    first = geometry.changed(first, epoch, start)
                yield first, *(array[some] for array in arrays[1:])

    given = (arrays[0][:, 0], *arrays[1:]) if views else arrays
    return _dataset(generate, given)


def _gathered(
    epochs: Callable[[], Iterator[Batch]], arrays: Batch, batch: int, *, views: bool
) -> tf.data.Dataset:
    """Batches of rows and views in the order of `epochs`, collected by TensorFlow itself."""
    first, *others = map(tf.constant, arrays)

    def take(rows: tf.Tensor, view: tf.Tensor) -> tuple[tf.Tensor, ...]:
        of_first = (
            tf.gather_nd(first, tf.stack([rows, view], 1)) if views else tf.gather(first, rows)
        )
        return of_first, *(tf.gather(other, rows) for other in others)

    orders = tf.TensorSpec(len(arrays[0]), tf.int64)
    return (
        tf.data.Dataset.from_generator(epochs, output_signature=(orders, orders))
        .flat_map(lambda *order: tf.data.Dataset.from_tensor_slices(order).batch(batch))
        .map(take)
        .prefetch(8)
    )


def in_order(*arrays: np.ndarray, batch: int) -> tf.data.Dataset:
    """All rows of the arrays once, in their order; the last batch may be smaller."""

    def generate() -> Iterator[Batch]:
        for start in range(0, len(arrays[0]), batch):
            yield tuple(array[start : start + batch] for array in arrays)

    cardinality = tf.data.experimental.assert_cardinality(steps(len(arrays[0]), batch))
    return _dataset(generate, arrays).apply(cardinality)


def _dataset(generate: Callable[[], Iterator[Batch]], arrays: Batch) -> tf.data.Dataset:
    signature = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(2)


@dataclass(frozen=True)
class Examples:
    """Inputs of a model and their labels (int; images).

    Images are uint8 of shape (images, side, side, 3); embeddings float32 of shape (images,
    units), or (images, views, units) where every image has several.
    """

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


def of_embeddings(
    stored: embedding_store.Embeddings,
    network: keras.Model,
    table: pd.DataFrame,
    training: pd.DataFrame,
    validation: pd.DataFrame,
) -> tuple[Examples, Examples]:
    """The embeddings of the rows for training, all views, and of those for validation.

    Raises UserError if they do not come from the network's backbone.
    """
    stored.refuse_other_backbone(embeddings.weights_digest(embeddings.backbone(network)))
    return (
        Examples(stored.training(table, training), training["label"].to_numpy()),
        Examples(stored.of(validation), validation["label"].to_numpy()),
    )
