import time

import numpy as np
import pytest
import tensorflow as tf

from trackbed.learning import waiting


def slow(seconds, count=5):
    def draw():
        for number in range(count):
            time.sleep(seconds)
            yield np.full(2, number), np.zeros(1)

    kinds = tf.TensorSpec(2, tf.int64), tf.TensorSpec(1, tf.float64)
    return tf.data.Dataset.from_generator(draw, output_signature=kinds)


def test_the_batches_are_the_same():
    timed = waiting.Waiting().timed(slow(0))
    assert [batch[0].tolist() for batch in timed.as_numpy_iterator()] == [[n, n] for n in range(5)]


def test_waiting_for_a_slow_source_counts_and_slow_use_does_not():
    watch = waiting.Waiting()
    for _ in watch.timed(slow(0.1)):
        pass
    assert 0.5 <= watch.seconds < 5  # the upper bound is for a busy machine
    starved = watch.seconds
    for _ in watch.timed(slow(0).prefetch(2)):
        time.sleep(0.1)
    assert watch.seconds - starved < 0.4


def test_it_starts_at_nothing():
    assert waiting.Waiting().seconds == pytest.approx(0)
