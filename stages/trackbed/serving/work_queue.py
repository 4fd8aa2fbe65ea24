"""A bounded queue of pictures, and the threads that answer them, several at a time."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from trackbed.serving.refusals import busy

Job = Callable[[list[Any]], list[Any]]
"""What gives the results of several items, in their order."""

# A thread takes its share of the items that wait, up to this many; nothing waits to fill it up.
MOST_AT_ONCE = 8
# Share of the last item's time in the moving average of all.
WEIGHT = 0.05
# Most answers come sooner; only then is it worth a look whether the client is still there.
PATIENCE = 0.25  # seconds


class WorkQueue:
    """Works on items in threads; at most `waiting` of them are in the queue at once.

    Items of one request are taken together or not at all. Items of different requests that wait
    for the same job are worked on at once. Those of a client that has gone are dropped if they
    have not begun.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self.threads, self.waiting = threads, waiting
        self.count = 0  # of items that wait or are worked on
        self._items: deque[_Item] = deque()  # those that wait
        self._working = 0  # threads
        self._seconds = 0.01  # of an item, moving average
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")

    def refuse_if_full(self, items: int = 1) -> None:
        """Raise Refused (503 with Retry-After) where that many items find no room.

        An empty queue takes any number, so that a request is never refused for good.
        """
        if self.count and self.count + items > self.waiting + self.threads:
            seconds = max(1, math.ceil(self.count * self._seconds / self.threads))
            raise busy(seconds, f"The queue is full ({self.count:,} pictures). Try again later.")

    async def run(self, request: Request, job: Job, values: Sequence[Any]) -> list[Any]:
        """The results of a job for values, in their order.

        The body of the request has been read. Raises Refused, ClientDisconnect, and the errors of
        the job.
        """
        self.refuse_if_full(len(values))
        work = _Work(len(values))
        self._add([_Item(work, place, job, value) for place, value in enumerate(values)])
        timer = work.loop.call_later(PATIENCE, work.watch, request)
        try:
            return await work.done
        finally:
            timer.cancel()
            work.end()

    def _add(self, items: list[_Item]) -> None:
        with self._lock:
            self.count += len(items)
            self._items.extend(items)
            more = min(len(items), self.threads - self._working)
            self._working += more
        for _ in range(more):
            self._pool.submit(self._work)

    def _work(self) -> None:
        """Work as long as anything waits."""
        while items := self._next():
            start = time.monotonic()
            _do([item for item in items if item.work.is_wanted])
            self._end(items, time.monotonic() - start)

    def _next(self) -> list[_Item]:
        """A thread's share of the items that wait, all for the same job."""
        found: list[_Item] = []
        with self._lock:
            share = min(MOST_AT_ONCE, math.ceil(len(self._items) / self.threads))
            while len(found) < share and (not found or self._items[0].job == found[0].job):
                found.append(self._items.popleft())
            if not found:
                self._working -= 1
        return found

    def _end(self, items: list[_Item], seconds: float) -> None:
        works = [item.work for item in items]
        with self._lock:
            self._seconds += WEIGHT * (seconds / len(items) - self._seconds)
            self.count -= len(items)
            for work in works:
                work.left -= 1
            done = [work for work in dict.fromkeys(works) if not work.left]
        # The event loop may have ended.
        if done and not done[0].loop.is_closed():
            done[0].loop.call_soon_threadsafe(_finish, done)

    def close(self) -> None:
        """Wait for the items that are worked on; others are dropped."""
        with self._lock:
            self._items.clear()
        self._pool.shutdown()


class _Work:
    """The items of one request, as far as they are done."""

    def __init__(self, items: int) -> None:
        self.results: list[Any] = [None] * items
        self.left, self.is_wanted = items, True
        self.error: BaseException | None = None
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[list[Any]] = self.loop.create_future()
        self._watcher: asyncio.Task | None = None

    def watch(self, request: Request) -> None:
        """Look whether the client goes before the work is done; `done` then has the error."""
        self._watcher = self.loop.create_task(self._watch(request))

    async def _watch(self, request: Request) -> None:
        await request.receive()
        if not self.done.done():
            self.done.set_exception(ClientDisconnect())

    def finish(self) -> None:
        """Hand the results over to the request, if it waits for them."""
        if self.done.done():
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self.results)

    def end(self) -> None:
        """Drop what has not begun."""
        self.is_wanted = False
        if self._watcher is not None:
            self._watcher.cancel()


@dataclass(frozen=True, eq=False)
class _Item:
    work: _Work
    place: int  # among the items of its request
    job: Job
    value: Any


def _do(items: list[_Item]) -> None:
    """Have the job of items done, one by one if it fails for all, so that others do not suffer."""
    if not items:
        return
    try:
        results = items[0].job([item.value for item in items])
        for item, result in zip(items, results, strict=True):
            item.work.results[item.place] = result
    except BaseException as error:
        if len(items) == 1:
            items[0].work.error = error
            return
        for item in items:
            _do([item])


def _finish(works: list[_Work]) -> None:
    for work in works:
        work.finish()
