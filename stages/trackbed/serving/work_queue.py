"""A bounded queue of pictures, and the threads that answer them."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import ClientDisconnect, Request

from trackbed.serving.refusals import busy

# Share of the last job's time in the moving average of all.
WEIGHT = 0.05
# Most answers come sooner; only then is it worth a look whether the client is still there.
PATIENCE = 0.25  # seconds


class WorkQueue:
    """Runs jobs in threads; at most `waiting` of them are in the queue at once.

    Jobs of one request are taken together or not at all. Those of a client that has gone are
    dropped if they have not begun.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self.threads, self.waiting = threads, waiting
        self.count = 0  # of jobs that wait or run
        self._seconds = 0.01  # of a job, moving average
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")

    def refuse_if_full(self, jobs: int = 1) -> None:
        """Raise Refused (503 with Retry-After) where that many jobs find no room.

        An empty queue takes any number, so that a request is never refused for good.
        """
        if self.count and self.count + jobs > self.waiting + self.threads:
            seconds = max(1, math.ceil(self.count * self._seconds / self.threads))
            raise busy(seconds, f"The queue is full ({self.count:,} pictures). Try again later.")

    async def run(self, request: Request, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """The results of jobs, in their order. Raises Refused, ClientDisconnect, and their errors.

        The body of the request has been read.
        """
        self.refuse_if_full(len(jobs))
        work = _Work(len(jobs))
        with self._lock:
            self.count += len(jobs)
        for place, job in enumerate(jobs):
            self._pool.submit(self._do, work, place, job)
        try:
            await asyncio.wait((work.done,), timeout=PATIENCE)
            if not work.done.done():
                await _refuse_gone(request, work.done)
            return work.done.result()
        finally:
            work.is_wanted = False

    def _do(self, work: _Work, place: int, job: Callable[[], Any]) -> None:
        start = time.monotonic()
        try:
            if work.is_wanted:
                work.results[place] = job()
        except BaseException as error:
            work.error = error
        finally:
            with self._lock:
                self._seconds += WEIGHT * (time.monotonic() - start - self._seconds)
                self.count -= 1
                work.left -= 1
            if not work.left:
                work.finish()

    def close(self) -> None:
        """Wait for the jobs that run; others are dropped."""
        self._pool.shutdown(cancel_futures=True)


class _Work:
    """The jobs of one request, as far as they are done."""

    def __init__(self, jobs: int) -> None:
        self.results: list[Any] = [None] * jobs
        self.left, self.is_wanted = jobs, True
        self.error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[list[Any]] = self._loop.create_future()

    def finish(self) -> None:
        """Hand the results over to the event loop, which may have ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if self.done.done():
            return
        if self.error is not None and self.is_wanted:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.results)


async def _refuse_gone(request: Request, done: asyncio.Future) -> None:
    """Wait until the work is done. Raises ClientDisconnect where the client goes before."""
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((done, gone), return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            raise ClientDisconnect
    finally:
        gone.cancel()
