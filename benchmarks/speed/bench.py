"""What a bench is: contestants that do the same work, and what is compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Values = dict[str, float]
"""What one run of a contestant measured, by column."""
Rounds = dict[str, list[Values]]
"""The runs of every contestant, in the order of the rounds; none for one that failed."""


@dataclass(frozen=True)
class Task:
    """What a contestant is given."""

    images: int  # how many pictures to lay out, or to draw
    shared: Path  # what `prepare` laid out, the same for all contestants
    work: Path  # an empty folder, for this run alone
    photographs: Path | None  # class folders to take pictures from; None: they are generated
    begun: float  # time.perf_counter() at the start of the process


@dataclass(frozen=True)
class Contestant:
    """A function of a module that the peers' environment can import, run in a fresh process.

    It takes a Task and the arguments, imports what it needs, and returns what it measured.
    """

    function: Callable[..., Values]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    peer: bool = False  # runs in the peers' environment


@dataclass(frozen=True)
class Bench:
    """Contestants that do the same work; the first is what the others are compared with."""

    title: str
    measures: str  # what is inside the measured part, in a sentence or two
    contestants: Mapping[str, Contestant]
    prepare: Contestant | None = None  # runs once, before all contestants
    rates: tuple[str, ...] = ()  # columns where more is faster
    times: tuple[str, ...] = ()  # columns where less is faster
    notes: Callable[[Rounds], list[str]] = lambda rounds: []  # lines under the table
