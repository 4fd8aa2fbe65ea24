"""Run the main of a stage script: under a lock, with a log file and errors in one line."""

from __future__ import annotations

import contextlib
import errno
import gc
import inspect
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from filelock import FileLock, Timeout

from trackbed.pipeline import measurements
from trackbed.pipeline.errors import Busy, NoSpace, UserError
from trackbed.pipeline.operating_system import IS_POSIX, print_anything
from trackbed.pipeline.outputs import allocate

if TYPE_CHECKING:
    import psutil

LOCKS = Path(".cache/locks")
DVC_VARIABLE = "DVC_STAGE"  # in the environment of what DVC starts
SHELLS = {"sh", "ash", "bash", "dash", "fish", "ksh", "zsh", "cmd.exe", "powershell.exe"}
SHELLS |= {"pwsh.exe"}
SECONDS_BETWEEN_CHECKS = 0.5


@contextmanager
def locked(stage: str) -> Iterator[None]:
    """Hold the lock of a stage in this folder, and end this process if its DVC ends.

    Killing `dvc repro` leaves its stage running, and the next `dvc repro` would start a second
    one beside it. The operating system releases the lock with the process, however that ends.
    Raises Busy if another process holds the lock.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    with _acquired_lock(stage):
        # Where other processes are hidden nobody can be watched.
        if DVC_VARIABLE in os.environ and (ancestors := _ancestors()):
            arguments = stage, ancestors
            threading.Thread(target=_end_with, args=arguments, daemon=True).start()
        yield


def _acquired_lock(stage: str) -> AbstractContextManager:
    """The lock, held until its block ends. Raises Busy."""
    pid_path = LOCKS / f"{stage}.pid"
    try:
        lock = FileLock(LOCKS / f"{stage}.lock", blocking=False).acquire()
    except Timeout:
        pid = (pid_path.exists() and pid_path.read_text().strip()) or "unknown"
        raise Busy(
            f"stage {stage} is already running (pid {pid}); wait for it, or stop it."
        ) from None
    pid_path.write_text(f"{os.getpid()}\n")
    return lock


def _ancestors() -> list[psutil.Process]:
    """The processes from the parent up to DVC; a shell may stand between."""
    import psutil

    parents = psutil.Process().parents()
    between = 0
    # On Windows the Python of an environment is a program that starts the real one.
    if not IS_POSIX and parents and parents[0].exe() == sys.executable:
        between += 1
    if parents[between:] and parents[between].name().lower() in SHELLS:
        between += 1
    return parents[: between + 1]


def _end_with(stage: str, ancestors: list[psutil.Process]) -> None:
    """Stop this process when one of its ancestors has ended."""
    wait = threading.Event().wait
    while not wait(SECONDS_BETWEEN_CHECKS):
        if not _are_parents(ancestors):
            print(f"{stage}: dvc has ended, so this stage ends too", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _are_parents(ancestors: list[psutil.Process]) -> bool:
    import psutil

    try:
        now = [os.getppid(), *(one.ppid() for one in ancestors[:-1])]
    except psutil.Error:
        return False
    # A process whose parent ends is handed over to another one, but on Windows keeps its number.
    return now == [one.pid for one in ancestors] and all(one.is_running() for one in ancestors)


DEBUG = "TRACKBED_DEBUG"  # in the environment: tracebacks for UserErrors too
INTERRUPTED = 130  # what a shell reports after Ctrl-C
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
    print_anything()
    # What the imports made stays to the end; looking through it for garbage takes longer than
    # some stages.
    gc.freeze()
    with (
        _errors_as_one_line(name),
        locked(name),
        _reserved_space_for_dvc(),
        copied_to_log(name),
        _errors_as_one_line(name),
    ):
        main(*map(Path, sys.argv[1:]))
    measurements.write_seconds(name, time.perf_counter() - begun)
    gc.freeze()


@contextlib.contextmanager
def _reserved_space_for_dvc() -> Iterator[None]:
    with tempfile.TemporaryFile(dir=LOCKS) as file:
        allocate(file, RESERVED_BYTES)
        yield


@contextlib.contextmanager
def _errors_as_one_line(name: str) -> Iterator[None]:
    """End the process with the message and the exit code of a UserError, or after Ctrl-C."""
    try:
        yield
    except UserError as error:
        _end(name, error)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; `dvc repro` runs this stage again.", file=sys.stderr)
        sys.exit(INTERRUPTED)
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
