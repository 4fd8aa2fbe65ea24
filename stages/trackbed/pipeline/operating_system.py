"""What differs between Linux, macOS and Windows: flushing, moving and deleting files, processes.

A system is told by what it lacks, not by its name, so that a test can take it away.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import subprocess

    import psutil

# Windows opens no folder as a file, flushes only files that are open for writing, and neither
# replaces nor deletes files that are open or read-only.
IS_POSIX = hasattr(os, "fork")
# What ends a program: Ctrl-C, `kill`, a closed terminal, and Ctrl-Break on Windows.
STOP_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
# Of subprocess.Popen: Ctrl-C in the terminal does not reach the process.
OWN_GROUP: dict[str, Any] = {
    "start_new_session": True,
    "creationflags": 0x200 if sys.platform == "win32" else 0,  # CREATE_NEW_PROCESS_GROUP
}
HELD = "{path}: cannot be replaced; close the program that has it open, then run again."
# Seconds between attempts to move a file on Windows: a virus scanner may hold it for a moment.
WAITS = (0.05, 0.1, 0.2, 0.4, 0.8)


def flush(path: Path) -> None:
    """Have the disk hold a file, or the entries of a folder where the system can do that."""
    if not IS_POSIX and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if IS_POSIX else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: Path, target: Path) -> None:
    """Put a file or folder in the place of a file, or where nothing is.

    Raises UserError on Windows for a file that another program has open.
    """
    for wait in (*WAITS, None):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if IS_POSIX:
                raise
            if wait is None:
                raise UserError(HELD.format(path=target)) from None
            if target.exists():
                target.chmod(stat.S_IWRITE | stat.S_IREAD)
            time.sleep(wait)


def remove_folder(path: Path) -> None:
    """Delete a folder with all that lies in it, on Windows read-only files too."""
    if IS_POSIX:
        shutil.rmtree(path)
    else:
        argument = "onexc" if sys.version_info >= (3, 12) else "onerror"
        shutil.rmtree(path, **{argument: _made_writable})


def _made_writable(function: Any, name: str, _: Any) -> None:
    os.chmod(name, stat.S_IWRITE | stat.S_IREAD)
    function(name)


def link_or_copy(source: Path, target: Path) -> None:
    """A symbolic link to a file or folder, or a copy where Windows does not allow links."""
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def relative_path(path: Path, start: Path) -> str:
    """The way from one folder to another, both without links, with forward slashes.

    Raises UserError where there is none: between two drives of Windows.
    """
    path, start = path.resolve(), start.resolve()
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:
        raise UserError(f"{path} and {start}: must lie on one drive.") from None


def print_anything() -> None:
    """Print what the character set of the output lacks, such as cp1252, as an escape sequence.

    Without this a class called 'naïve 日本' would end a program whose output goes to a file.
    """
    if getattr(sys.stdout, "errors", "") == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def group(leader: subprocess.Popen) -> list[psutil.Process]:
    """The processes that a process of OWN_GROUP has started and that still run, and itself.

    Windows has no such groups; there they are its children, theirs, and so on. A finished leader
    is reaped.
    """
    import psutil

    leader.poll()
    if not hasattr(os, "killpg"):
        return [one for one in _descendants(leader.pid) if one.is_running()]
    try:
        os.killpg(leader.pid, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [one for one in psutil.process_iter() if _is_live_member(one, leader.pid)]


def end_group(leader: subprocess.Popen, *, kill: bool) -> None:
    """Ask the processes of a `group` to end, or kill them; on Windows they are always killed."""
    import psutil

    if hasattr(os, "killpg"):
        try:
            os.killpg(leader.pid, signal.SIGKILL if kill else signal.SIGTERM)
        except ProcessLookupError:
            return
        return
    for process in group(leader):
        try:
            process.kill()
        except psutil.Error:  # it has ended
            continue


def _is_live_member(process: psutil.Process, number: int) -> bool:
    """Whether a process of a group runs; a zombie only waits for a parent to reap it."""
    import psutil

    try:
        return os.getpgid(process.pid) == number and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False


def _descendants(pid: int) -> Iterator[psutil.Process]:
    """A process and all that come from it; Windows keeps the number of a parent that has ended."""
    import psutil

    children: dict[int, list[psutil.Process]] = {}
    waiting = []
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process)
        if process.pid == pid:
            waiting.append(process)
    waiting += children.get(pid, [])
    while waiting:
        process = waiting.pop()
        yield process
        if process.pid != pid:
            waiting += children.get(process.pid, [])
