"""Apply a function to many items in several processes: in order, and within bounded memory."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future
    from multiprocessing.context import BaseContext

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items under way or waiting for their turn, per process: enough that none idles while another
# has a long one.
ITEMS_AHEAD = 3
MOST_WORKERS = 61  # that Windows can wait for


# What takes longest when a process starts that checks pictures: 0.2 s for each, which the server
# that the others are copies of does once. Our own modules follow in each, whatever the path.
PRELOADED = ["numpy", "cv2", "PIL.Image", "PIL.ImageCms", "google_crc32c"]


class WorkerKilled(Exception):
    """A worker process ended before it had its results."""


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """function(item) of every item, in their order, whatever the number of workers.

    One worker is this process, more are new ones, which import what the function needs and
    PRELOADED. ITEMS_AHEAD items per worker, at most, are taken ahead of the results. Closing the
    iterator, or an error, ends the processes. Raises what the function raises, and Killed.
    """
    if workers == 1:
        yield from map(function, items)
        return
    # 10 ms, which those who ask for `cores` do without.
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

    pool = ProcessPoolExecutor(min(workers, MOST_WORKERS), _context(), _start_worker)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            with _without_main():
                waiting.append(pool.submit(function, item))
            if len(waiting) == workers * ITEMS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise WorkerKilled from None
    finally:
        pool.shutdown(cancel_futures=True)


def prepare() -> None:
    """Start what new processes need before they are needed; to be called where they will be.

    It ends with this process.
    """
    _context()


def _context() -> "BaseContext":
    """How processes are started: as copies of one that has imported PRELOADED, where possible.

    Copies of this one would be quicker still, but those of a process with threads may hang. That
    one is reached by a socket in the folder for temporary files, whose path may be too long for it.
    """
    import multiprocessing

    if multiprocessing.get_start_method() == "spawn":  # on Windows, and on macOS copies may crash
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    try:
        with _without_main():
            forkserver.ensure_running()
    except OSError:
        return multiprocessing.get_context("spawn")
    return context


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _without_main() -> Iterator[None]:
    """Let new processes not import the script of this one, and with it all that it imports."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start_worker() -> None:
    """In a new process: leave Ctrl-C to the parent, and end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import multiprocessing

    multiprocessing.parent_process().join()
    os._exit(1)
