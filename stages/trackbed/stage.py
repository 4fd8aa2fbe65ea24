"""Run the main of a stage script as a program."""

import contextlib
import errno
import inspect
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from trackbed import logs, single
from trackbed.outputs import allocate
from trackbed.problems import NoSpace, Problem

# For the report: how long each stage took when it last ran here.
SECONDS = Path(".cache/stages")
DEBUG = "TRACKBED_DEBUG"  # in the environment: tracebacks for Problems too
FULL = {errno.ENOSPC, errno.EDQUOT}
# Bytes that are free again when a stage has ended, whatever ended it. On a full disk DVC writes
# a lock file by halves and refuses to work from then on.
ROOM = 2**18


def run(main: Callable[..., None]) -> None:
    """Call a stage's main with the paths from the command line.

    Every parameter of main is a path. What it prints is kept in logs/SCRIPT.log too. A Problem
    ends the process with its exit code and its text on stderr. Otherwise
    `.cache/stages/SCRIPT.json` tells the seconds.
    """
    script = Path(sys.argv[0])
    names = list(inspect.signature(main).parameters)
    if len(sys.argv) - 1 != len(names):
        usage = " ".join(name.upper() for name in names)
        sys.exit(f"usage: python {script} {usage}")
    begun, name = time.perf_counter(), script.stem
    with _told(name), single.running(name), _room_for_dvc(), logs.kept(name), _told(name):
        main(*map(Path, sys.argv[1:]))
    _note_seconds(name, time.perf_counter() - begun)


@contextlib.contextmanager
def _room_for_dvc() -> Iterator[None]:
    with tempfile.TemporaryFile(dir=single.LOCKS) as file:
        allocate(file, ROOM)
        yield


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """End the process with the words and the exit code of a Problem."""
    try:
        yield
    except Problem as problem:
        _end(name, problem)
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = error.filename or Path.cwd()
        _end(name, NoSpace(f"no space left on the disk of {where}; make room, then go on."))


def _end(name: str, problem: Problem) -> NoReturn:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    print(f"{name}: {problem}", file=sys.stderr)
    sys.exit(problem.exit_code)


def _note_seconds(name: str, seconds: float) -> None:
    with contextlib.suppress(OSError):  # no stage fails for its clock
        SECONDS.mkdir(parents=True, exist_ok=True)
        (SECONDS / f"{name}.json").write_text(json.dumps({"seconds": round(seconds, 2)}) + "\n")
