"""What a training run takes of the machine, and how long it waits for its batches."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    import tensorflow as tf


class InputWait:
    """A stopwatch in a dataset: it runs while the next batch is asked for and not there yet."""

    def __init__(self) -> None:
        import tensorflow as tf

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
        import tensorflow as tf

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
        import tensorflow as tf

        waited = tf.maximum(given - asked - (asked - first), tf.zeros([], tf.float64))
        with tf.control_dependencies([self._seconds.assign_add(waited)]):
            return tf.nest.map_structure(tf.identity, batch)


INTERVAL = 0.5  # seconds
MEGABYTE = 10**6
Usage = dict[str, float]


class Resources:
    """Looks at this process and the GPUs from a daemon thread, while used as a context manager.

    It never ends a run: what cannot be read is left out.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval, self._process, self._gpus = interval, psutil.Process(), _gpus()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="resources", daemon=True)
        self._looks: list[Usage] = []
        self._begun = time.perf_counter(), time.process_time()

    def __enter__(self) -> Resources:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def taken(self) -> Usage:
        """What was taken since the last call, or since the beginning.

        cpu_share: of the time of all cores, 0 to 1. memory_mb: the most that was resident, in MB
        of 10^6 bytes. With a GPU also gpu_share (use of all GPUs, mean, 0 to 1) and gpu_memory_mb
        (the most that was in use on all of them, by any process).
        """
        looks, self._looks = [*self._looks, self._look()], []
        (begun, worked), self._begun = self._begun, (time.perf_counter(), time.process_time())
        cores = (self._begun[0] - begun) * (os.cpu_count() or 1)
        seen = {name: [look[name] for look in looks if name in look] for name in looks[-1]}
        usage = {name: max(values) for name, values in seen.items() if name != "gpu_share"}
        if "gpu_share" in seen:
            usage["gpu_share"] = round(sum(seen["gpu_share"]) / len(seen["gpu_share"]), 4)
        return {"cpu_share": round(min(1.0, (self._begun[1] - worked) / cores), 4), **usage}

    def _watch(self) -> None:
        while not self._over.wait(self._interval):
            self._looks.append(self._look())

    def _look(self) -> Usage:
        try:
            look = {"memory_mb": round(self._process.memory_info().rss / MEGABYTE, 1)}
        except psutil.Error:
            look = {}
        return look | _gpu_usage(self._gpus)


def _gpus() -> list[Any]:
    """Handles of the NVIDIA GPUs; none where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return [
            pynvml.nvmlDeviceGetHandleByIndex(number)
            for number in range(pynvml.nvmlDeviceGetCount())
        ]
    except pynvml.NVMLError:
        return []


def _gpu_usage(gpus: list[Any]) -> Usage:
    import pynvml

    try:
        shares = [pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100 for gpu in gpus]
        used = [pynvml.nvmlDeviceGetMemoryInfo(gpu).used / MEGABYTE for gpu in gpus]
    except pynvml.NVMLError:
        return {}
    return (
        {"gpu_share": sum(shares) / len(gpus), "gpu_memory_mb": round(sum(used), 1)} if gpus else {}
    )
