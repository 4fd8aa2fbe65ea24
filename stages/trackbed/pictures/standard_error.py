"""File descriptor 2, to which C libraries print: many threads print, or one catches all of it."""

import functools
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

_condition = threading.Condition()
_printing = 0  # threads
_catching = False


@contextmanager
def printed() -> Iterator[None]:
    """In this block a library may print something; nobody catches it meanwhile."""
    global _printing
    with _condition:
        _condition.wait_for(lambda: not _catching)
        _printing += 1
    try:
        yield
    finally:
        with _condition:
            _printing -= 1
            _condition.notify_all()


@dataclass
class Messages:
    """What was printed; complete when the block has ended."""

    first: str = ""  # line


@contextmanager
def caught() -> Iterator[Messages]:
    """Keep what is printed in this block from the terminal.

    It waits for those that print, and for others that catch. Whoever else writes to the terminal
    at any time, such as a progress bar or a log, needs a stream of `uncaught`.
    """
    global _catching
    with _condition:
        _condition.wait_for(lambda: not _catching)
        _catching = True
        _condition.wait_for(lambda: not _printing)
    try:
        messages, file = Messages(), _memory()
        try:
            with _redirected(file):
                yield messages
        finally:
            if os.fstat(file.fileno()).st_size:
                file.seek(0)
                messages.first = file.readline().decode("utf-8", "replace").strip()
                file.seek(0)
                file.truncate()
    finally:
        with _condition:
            _catching = False
            _condition.notify_all()


@functools.cache
def _memory() -> IO[bytes]:
    """An empty file in memory, where the system has such: a server may find no disk to write to.

    One for all times, since opening it takes longer than most of what is done meanwhile.
    """
    if hasattr(os, "memfd_create"):  # Linux
        return os.fdopen(os.memfd_create("messages"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def uncaught() -> IO[str]:
    """A stream to where file descriptor 2 leads now, of which nothing is caught."""
    return os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


@contextmanager
def _redirected(file: IO[bytes]) -> Iterator[None]:
    before = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
