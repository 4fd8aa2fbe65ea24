"""A stage runs once at a time, and no longer than the `dvc` that started it."""

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trackbed.pipeline.errors import Busy

LOCKS = Path(".cache/locks")
UNDER_DVC = "DVC_STAGE"  # in the environment of what DVC starts
SHELLS = {"sh", "ash", "bash", "dash", "fish", "ksh", "zsh"}
LOOKS = 0.5  # seconds between two


@contextmanager
def held(stage: str) -> Iterator[None]:
    """Hold the lock of a stage in this folder; meanwhile end with the DVC that started it.

    Killing `dvc repro` leaves its stage at work, beside which the next one would begin. The lock
    is the system's: it goes with the process, however that ends.
    Raises Busy if another process holds it.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    with (LOCKS / f"{stage}.lock").open("a+") as lock:
        _take(lock, stage)
        # Where other processes are hidden nobody can be watched.
        if UNDER_DVC in os.environ and (above := _ancestors()):
            threading.Thread(target=_end_with, args=(stage, above), daemon=True).start()
        yield


def _take(lock, stage: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise Busy(
            f"stage {stage} is already running (pid {lock.read().strip() or 'unknown'}); "
            "wait for it, or stop it."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _ancestors() -> list[int]:
    """Process ids from the parent up to DVC; a shell may stand between."""
    import psutil

    parents = psutil.Process().parents()
    shell = bool(parents) and parents[0].name() in SHELLS
    return [parent.pid for parent in parents[: 1 + shell]]


def _end_with(stage: str, above: list[int]) -> None:
    import psutil

    wait = threading.Event().wait
    while not wait(LOOKS):
        try:
            # A process whose parent ends is handed over to another one.
            now = [os.getppid(), *(psutil.Process(pid).ppid() for pid in above[:-1])]
        except psutil.Error:
            now = []
        if now != above:
            print(f"{stage}: dvc is gone, so this ends too", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            return
