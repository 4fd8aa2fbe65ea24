"""One run of a stage at a time, which ends with the `dvc` that started it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from trackbed.pipeline.errors import Busy

LOCKS = Path(".cache/locks")
DVC_VARIABLE = "DVC_STAGE"  # in the environment of what DVC starts
SHELLS = {"sh", "ash", "bash", "dash", "fish", "ksh", "zsh"}
SECONDS_BETWEEN_CHECKS = 0.5


@contextmanager
def held(stage: str) -> Iterator[None]:
    """Hold the lock of a stage in this folder, and end this process if its DVC ends.

    Killing `dvc repro` leaves its stage running, and the next `dvc repro` would start a second
    one beside it. The operating system releases the lock with the process, however that ends.
    Raises Busy if another process holds the lock.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    with _acquired(stage):
        # Where other processes are hidden nobody can be watched.
        if DVC_VARIABLE in os.environ and (ancestors := _ancestors()):
            arguments = stage, ancestors
            threading.Thread(target=_end_with, args=arguments, daemon=True).start()
        yield


def _acquired(stage: str) -> AbstractContextManager:
    """The lock, held until its block ends. Raises Busy."""
    pid_path = LOCKS / f"{stage}.pid"
    try:
        lock = FileLock(LOCKS / f"{stage}.lock", blocking=False).acquire()
    except Timeout:
        pid = (pid_path.exists() and pid_path.read_text().strip()) or "unknown"
        raise Busy(
            f"stage {stage} is already running (pid {pid}); wait for it, or stop it."
        ) from None
    pid_path.write_text(f"{os.getpid()}\n")
    return lock


def _ancestors() -> list[int]:
    """Process ids from the parent up to DVC; a shell may stand between."""
    import psutil

    parents = psutil.Process().parents()
    has_shell = bool(parents) and parents[0].name() in SHELLS
    return [parent.pid for parent in parents[: 1 + has_shell]]


def _end_with(stage: str, ancestors: list[int]) -> None:
    """Stop this process when one of its ancestors has ended."""
    import psutil

    wait = threading.Event().wait
    while not wait(SECONDS_BETWEEN_CHECKS):
        try:
            # A process whose parent ends is handed over to another one.
            now = [os.getppid(), *(psutil.Process(pid).ppid() for pid in ancestors[:-1])]
        except psutil.Error:
            now = []
        if now != ancestors:
            print(f"{stage}: dvc is gone, so this ends too", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            return
