"""Copies of the repository in which runs take place, and the processes in them."""

import contextlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import filelock

from trackbed.integrity import dvc_repo, git
from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.operating_system import STOP_SIGNALS

BRANCH = "trackbed-sweep"
# DVC's own settings of a copy; not every project has them in a .gitignore.
EXCLUDED = ("config.local", "tmp", "cache")
LOCK = "sweep.lock"
GRACE_SECONDS = 10.0  # between TERM and KILL
POLL_SECONDS = 0.05


class Clone:
    """A clone of a commit that shares git objects and DVC's cache with the repository."""

    def __init__(self, folder: Path, baseline: str) -> None:
        """folder: becomes the clone. baseline: full hash of the commit to run."""
        self.folder, self.baseline = folder.absolute(), baseline
        self.origin, self.prefix = git.root(), git.prefix()

    @property
    def workspace(self) -> Path:
        """The folder in the clone that corresponds to the current one."""
        return self.folder / self.prefix

    def prepare(self, clean: bool = True) -> None:
        """Bring the copy to the commit; outputs that git ignores stay, which saves DVC time.

        clean: whether the last run succeeded; if not, the copy is made again.
        """
        if not clean:
            remove_folder(self.folder)
        if not self.folder.exists():
            self._clone()
        # Not HEAD: after a run that is the experiment's commit.
        self._git("checkout", "--quiet", "--force", "-B", BRANCH, self.baseline)
        self._git("clean", "--quiet", "--force", "-d")

    def collect(self, name: str) -> bool:
        """Fetch a finished experiment into the repository; False if the copy has none."""
        reference = f"{dvc_repo.experiments_reference(self.baseline)}/{name}"
        if not self._git("for-each-ref", reference):
            return False
        refspec = f"+{reference}:{reference}"
        git.run("fetch", "--quiet", "--no-tags", str(self.folder), refspec)
        return True

    def _clone(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        clone = ("clone", "--quiet", "--shared", "--no-checkout", "--no-tags")
        git.run(*clone, str(self.origin), str(self.folder))
        (self.folder / ".git" / "info").mkdir(exist_ok=True)
        literal = re.sub(r"([\\*?\[ ])", r"\\\1", self.prefix)  # no pattern of git
        excluded = "".join(f"/{literal}.dvc/{name}\n" for name in EXCLUDED)
        (self.folder / ".git" / "info" / "exclude").write_text(
            excluded, encoding="utf-8", newline="\n"
        )
        for key in ("user.name", "user.email"):
            value = git.line("config", "--default", "", key)
            if value:
                self._git("config", key, value)
        self._git("checkout", "--quiet", "--force", "-B", BRANCH, self.baseline)
        dvc_repo.write_local_settings(self.workspace)

    def _git(self, *arguments: str) -> bytes:
        return git.run(*arguments, folder=self.folder)


def remove_folder(folder: Path) -> None:
    """Delete a folder, even while a process that was just killed finishes writing a file."""
    for _ in range(3):
        with contextlib.suppress(OSError):
            operating_system.remove_folder(folder)
        if not folder.exists():
            return
    operating_system.remove_folder(folder)


def end_processes(processes: Sequence[subprocess.Popen]) -> None:
    """End the process groups of these leaders: TERM, and after GRACE_SECONDS KILL."""
    for kill in (False, True):
        for process in filter(operating_system.group, processes):
            operating_system.end_group(process, kill=kill)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(map(operating_system.group, processes)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, TERM and a closed terminal set `stop` instead of ending the program at once."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: stop.set())
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def only_sweep(folder: Path) -> Iterator[None]:
    """Hold a lock file in a folder, which ends with the process.

    Raises UserError if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = filelock.FileLock(folder / LOCK).acquire(blocking=False)
    except filelock.Timeout:
        raise UserError(
            "Another `trackbed sweep` is running in this repository; wait for it, or stop it."
        ) from None
    with lock:
        yield
