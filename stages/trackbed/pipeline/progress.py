"""How far a long piece of work is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

SECONDS = 30.0  # between two lines where there is no terminal

Item = TypeVar("Item")


class Progress:
    """Counts the steps of a piece of work and shows them on stderr. Threads may share it.

    The first step takes no part in the estimate of the time left: it often includes preparations.
    """

    def __init__(self, what: str, total: int) -> None:
        """what: the name of the work, such as 'embedding'; total: its steps."""
        self.what, self.total, self.done = what, total, 0
        self.lock = threading.Lock()
        self.bar = _bar() if sys.stderr.isatty() else None

    def __enter__(self) -> Progress:
        self.begun = self.shown = time.perf_counter()
        self.first: tuple[int, float] | None = None
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task(self.what, total=self.total)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, whatever ended the work."""
        if self.bar:
            self.bar.stop()

    def advance(self, steps: int = 1) -> None:
        """Count finished steps."""
        with self.lock:
            self.done += steps
            now = time.perf_counter()
            self.first = self.first or (self.done, now)
            if self.bar:
                self.bar.update(self.task, completed=self.done)
            elif now - self.shown >= SECONDS and self.done < self.total:
                self.shown = now
                print(self._line(now), file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        line = f"{self.what}: {self.done / self.total:.0%} in {_text(now - self.begun)}"
        done, since = self.first or (0, self.begun)
        if self.done == done:
            return line
        left = (now - since) / (self.done - done) * (self.total - self.done)
        return f"{line}, about {_text(left)} left"


def track(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, one after the other; the next is asked for when one is finished."""
    with Progress(what, len(items)) as progress:
        for item in items:
            yield item
            progress.advance()


def _text(seconds: float) -> str:
    return f"{timedelta(seconds=round(seconds))}"


def _bar() -> Any:
    import rich.console
    import rich.progress

    return rich.progress.Progress(console=rich.console.Console(file=sys.stderr), transient=True)
