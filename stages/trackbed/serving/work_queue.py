"""A bounded queue of pictures, and the threads that answer them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from trackbed.serving.refusals import busy

T = TypeVar("T")
# Share of the last job's time in the moving average of all.
WEIGHT = 0.05


class WorkQueue:
    """Runs jobs in threads; at most `waiting` of them are in the queue at once.

    Jobs of one request are taken together or not at all. Those of a client that has gone are
    dropped if they have not begun.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self.threads, self.waiting = threads, waiting
        self.count = 0  # of jobs that wait or run
        self._seconds = 0.01  # of a job, moving average
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")

    def refuse_if_full(self, jobs: int = 1) -> None:
        """Raise Refused (503 with Retry-After) where that many jobs find no room.

        An empty queue takes any number, so that a request is never refused for good.
        """
        if self.count and self.count + jobs > self.waiting + self.threads:
            seconds = max(1, math.ceil(self.count * self._seconds / self.threads))
            raise busy(seconds, f"The queue is full ({self.count:,} pictures). Try again later.")

    async def run(self, request: Request, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """The results of jobs, in their order. Raises Refused, ClientDisconnect, and their errors.

        The body of the request has been read.
        """
        self.refuse_if_full(len(jobs))
        loop = asyncio.get_running_loop()
        self.count += len(jobs)
        futures = [loop.run_in_executor(self._pool, self._timed, job) for job in jobs]
        for future in futures:
            future.add_done_callback(self._leave)
        everything = asyncio.gather(*futures)
        gone = asyncio.ensure_future(request.receive())
        try:
            await asyncio.wait((everything, gone), return_when=asyncio.FIRST_COMPLETED)
            if not everything.done():
                raise ClientDisconnect
            return everything.result()
        finally:
            gone.cancel()
            everything.cancel()

    def _timed(self, job: Callable[[], T]) -> T:
        start = time.monotonic()
        try:
            return job()
        finally:
            self._seconds += WEIGHT * (time.monotonic() - start - self._seconds)

    def _leave(self, _: asyncio.Future) -> None:
        self.count -= 1

    def close(self) -> None:
        """Wait for the jobs that run; others are dropped."""
        self._pool.shutdown(cancel_futures=True)
