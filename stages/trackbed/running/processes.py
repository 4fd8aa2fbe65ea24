"""Processes of runs: ended as a group; signals that stop a sweep; one sweep at a time."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from trackbed.problems import Problem

GRACE = 10.0  # seconds between TERM and KILL
GLANCE = 0.05  # seconds between two looks at a process
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end(processes: Sequence[subprocess.Popen]) -> None:
    """End the groups that these processes lead: TERM, and after GRACE seconds KILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        groups = [process.pid for process in processes if _alive(process)]
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
        deadline = time.monotonic() + GRACE
        while any(map(_alive, processes)) and time.monotonic() < deadline:
            time.sleep(GLANCE)


@contextlib.contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, TERM and a closed terminal set `stop` instead of ending the program at once."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, lambda *_: stop.set())
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder that ends with the process. Raises Problem if another has it."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise Problem("Another `trackbed sweep` is running in this repository.") from None
    try:
        yield
    finally:
        os.close(handle)


def _alive(leader: subprocess.Popen) -> bool:
    """Whether any process of the group is left; the leader itself is waited for."""
    leader.poll()
    try:
        os.killpg(leader.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_member(process, leader.pid) for process in psutil.process_iter())


def _member(process: psutil.Process, group: int) -> bool:
    """Not a zombie, which waits for a parent that may never ask for it."""
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False
