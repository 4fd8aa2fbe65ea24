"""Run the main of a stage script as a program, with a log file and errors in one line."""

import contextlib
import errno
import inspect
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any, NoReturn

from trackbed.pipeline import lock, measurements
from trackbed.pipeline.errors import NoSpace, UserError
from trackbed.pipeline.outputs import allocate

DEBUG = "TRACKBED_DEBUG"  # in the environment: tracebacks for UserErrors too
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
# Reserved while a stage runs and free afterwards: on a full disk DVC writes half a lock file and
# refuses to work from then on.
RESERVED_BYTES = 2**18


def run(main: Callable[..., None]) -> None:
    """Call a stage's main with the paths from the command line.

    Every parameter of main is a path. What it prints is kept in logs/SCRIPT.log too. A UserError
    ends the process with its exit code and its text on stderr. After success logs/SCRIPT.json
    holds the seconds.
    """
    script = Path(sys.argv[0])
    names = list(inspect.signature(main).parameters)
    if len(sys.argv) - 1 != len(names):
        usage = " ".join(name.upper() for name in names)
        sys.exit(f"usage: python {script} {usage}")
    begun, name = time.perf_counter(), script.stem
    with (
        _errors_as_one_line(name),
        lock.held(name),
        _reserved_space_for_dvc(),
        copied_to_log(name),
        _errors_as_one_line(name),
    ):
        main(*map(Path, sys.argv[1:]))
    measurements.write_seconds(name, time.perf_counter() - begun)


@contextlib.contextmanager
def _reserved_space_for_dvc() -> Iterator[None]:
    with tempfile.TemporaryFile(dir=lock.LOCKS) as file:
        allocate(file, RESERVED_BYTES)
        yield


@contextlib.contextmanager
def _errors_as_one_line(name: str) -> Iterator[None]:
    """End the process with the message and the exit code of a UserError."""
    try:
        yield
    except UserError as error:
        _end(name, error)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        where = error.filename or Path.cwd()
        _end(name, NoSpace(f"no space left on the disk of {where}; free some, then run again."))


def _end(name: str, error: UserError) -> NoReturn:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    print(f"{name}: {error}", file=sys.stderr)
    sys.exit(error.exit_code)


ESCAPE = "\x1b"  # in what is for a terminal only, such as progress bars


@contextmanager
def copied_to_log(stage: str) -> Iterator[None]:
    """Copy what Python writes to stdout and stderr to logs/STAGE.log, which each run replaces."""
    measurements.LOGS.mkdir(exist_ok=True)
    with (
        (measurements.LOGS / f"{stage}.log").open("w", encoding="utf-8", buffering=1) as file,
        redirect_stdout(Tee(sys.stdout, file)),
        redirect_stderr(Tee(sys.stderr, file)),
    ):
        try:
            yield
        except Exception:
            traceback.print_exc(file=file)
            raise


class Tee:
    """A stream that also writes to a file."""

    def __init__(self, stream: IO[str], file: IO[str]) -> None:
        self._stream, self._file = stream, file

    def write(self, text: str) -> int:
        """Write to both, but what is for a terminal only to the stream alone."""
        if ESCAPE not in text:
            self._file.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
