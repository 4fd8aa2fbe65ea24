"""How long training waits for its batches."""

import time

import tensorflow as tf


class Waiting:
    """A stopwatch in a dataset: it runs while the next batch is asked for and not there yet."""

    def __init__(self) -> None:
        self._seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    @property
    def seconds(self) -> float:
        """Seconds waited so far, in all datasets that `timed` has given."""
        return float(self._seconds.numpy())

    def timed(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """The same batches; fetching them counts.

        The components of a zipped dataset are fetched one after the other, so that the clock is
        read right before and right after a batch. It is read twice before, because reading it
        takes about as long as a batch of embeddings: as long as from one reading to the next.
        """
        # tf.timestamp is refused where operations are to be deterministic.
        clock = tf.data.Dataset.counter().map(
            lambda _: tf.numpy_function(time.perf_counter, [], tf.float64)
        )
        options = tf.data.Options()
        # Fetched ahead by a thread of its own, a batch would be asked for too early.
        options.experimental_optimization.inject_prefetch = False
        return (
            tf.data.Dataset.zip(clock, clock, dataset, clock).map(self._add).with_options(options)
        )

    def _add(self, first: tf.Tensor, asked: tf.Tensor, batch: object, given: tf.Tensor) -> object:
        waited = tf.maximum(given - asked - (asked - first), tf.zeros([], tf.float64))
        with tf.control_dependencies([self._seconds.assign_add(waited)]):
            return tf.nest.map_structure(tf.identity, batch)
