import os
import threading
import time

import numpy as np
import psutil
import pytest
import tensorflow as tf

from trackbed.training import resources
from trackbed.training.resources import Resources


def busy(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_one_busy_thread_takes_its_share_of_the_cores():
    watched = Resources()
    busy(0.2)
    share = watched.taken()["cpu_share"]
    assert 0 < share <= 1.1 / os.cpu_count()
    time.sleep(0.2)
    assert watched.taken()["cpu_share"] < share


def test_the_most_memory_is_seen_after_it_was_given_back():
    with Resources(interval=0.01) as watched:
        before = watched.taken()["memory_mb"]
        held = np.ones(200 * 10**6, np.uint8)
        time.sleep(0.1)
        del held
        peak = watched.taken()["memory_mb"]
    assert peak - before == pytest.approx(200, abs=20)
    assert watched.taken()["memory_mb"] < peak - 150


def test_the_thread_ends_with_the_run():
    with Resources():
        (thread,) = (one for one in threading.enumerate() if one.name == "resources")
        assert thread.daemon
    assert not thread.is_alive()


def test_without_a_gpu_no_gpu_values_are_reported():
    pynvml = pytest.importorskip("pynvml")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        assert set(Resources().taken()) == {"cpu_share", "memory_mb"}
    else:
        assert {"gpu_share", "gpu_memory_mb"} < set(Resources().taken())


def test_what_cannot_be_read_is_left_out(monkeypatch):
    class Gone(psutil.Process):
        def memory_info(self):
            raise psutil.NoSuchProcess(self.pid)

    monkeypatch.setattr(psutil, "Process", Gone)
    assert set(Resources().taken()) >= {"cpu_share"}


def slow(seconds, count=5):
    def draw():
        for number in range(count):
            time.sleep(seconds)
            yield np.full(2, number), np.zeros(1)

    kinds = tf.TensorSpec(2, tf.int64), tf.TensorSpec(1, tf.float64)
    return tf.data.Dataset.from_generator(draw, output_signature=kinds)


def test_the_batches_are_the_same():
    timed = resources.InputWait().timed(slow(0))
    assert [batch[0].tolist() for batch in timed.as_numpy_iterator()] == [[n, n] for n in range(5)]


def test_waiting_for_a_slow_source_counts_and_slow_use_does_not():
    watch = resources.InputWait()
    for _ in watch.timed(slow(0.1)):
        pass
    assert 0.5 <= watch.seconds < 5  # the upper bound is for a busy machine
    starved = watch.seconds
    for _ in watch.timed(slow(0).prefetch(2)):
        time.sleep(0.1)
    assert watch.seconds - starved < 0.4


def test_it_starts_at_nothing():
    assert resources.InputWait().seconds == pytest.approx(0)
