"""Copies of the repository in which runs take place, and the processes in them."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from trackbed.experiments.experiment import references_of
from trackbed.integrity import git
from trackbed.pipeline.errors import UserError

GRACE_SECONDS = 10.0  # seconds between TERM and KILL
POLL_SECONDS = 0.05  # seconds between two looks at a process
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_processes(processes: Sequence[subprocess.Popen]) -> None:
    """End the groups that these processes lead: TERM, and after GRACE seconds KILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        groups = [process.pid for process in processes if _is_running(process)]
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(map(_is_running, processes)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, TERM and a closed terminal set `stop` instead of ending the program at once."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, lambda *_: stop.set())
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def only_sweep(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder that ends with the process. Raises UserError if another has it."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise UserError("Another `trackbed sweep` is running in this repository.") from None
    try:
        yield
    finally:
        os.close(handle)


def _is_running(leader: subprocess.Popen) -> bool:
    """Whether any process of the group is left; the leader itself is waited for."""
    leader.poll()
    try:
        os.killpg(leader.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_is_live_member(process, leader.pid) for process in psutil.process_iter())


def _is_live_member(process: psutil.Process, group: int) -> bool:
    """Not a zombie, which waits for a parent that may never ask for it."""
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False


BRANCH = "trackbed-sweep"
# DVC's own settings of a copy; not every project has them in a .gitignore.
EXCLUDED = "/.dvc/config.local\n/.dvc/tmp\n/.dvc/cache\n"


class Worktree:
    """A clone of a commit that shares git objects and DVC's cache with the repository."""

    def __init__(self, folder: Path, baseline: str) -> None:
        """folder: becomes the clone. baseline: full hash of the commit to run."""
        self.folder, self.baseline = folder.absolute(), baseline
        self.origin, self.prefix = git.root(), git.prefix()

    @property
    def workspace(self) -> Path:
        """The folder in the clone that answers to the current one."""
        return self.folder / self.prefix

    def prepare(self, clean: bool = True) -> None:
        """Bring the copy to the commit; outputs that git ignores stay, and save DVC time.

        clean: whether the last run ended well; after another one the copy is made anew.
        """
        if not clean:
            self.remove()
        if not self.folder.exists():
            self._clone()
        # Not HEAD: after a run that is the experiment's commit.
        self._git("checkout", "--quiet", "--force", "-B", BRANCH, self.baseline)
        self._git("clean", "--quiet", "--force", "-d")

    def collect(self, name: str) -> bool:
        """Take a finished experiment over into the repository; False if the copy has none."""
        place = f"{references_of(self.baseline)}/{name}"
        if not self._git("for-each-ref", place):
            return False
        git.run("fetch", "--quiet", "--no-tags", str(self.folder), f"+{place}:{place}")
        return True

    def remove(self) -> None:
        """Delete the copy; what it has in DVC's cache and in git stays."""
        remove_folder(self.folder)

    def _clone(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        clone = ("clone", "--quiet", "--shared", "--no-checkout", "--no-tags")
        git.run(*clone, str(self.origin), str(self.folder))
        (self.folder / ".git" / "info").mkdir(exist_ok=True)
        (self.folder / ".git" / "info" / "exclude").write_text(EXCLUDED)
        for key in ("user.name", "user.email"):
            told = git.run("config", "--default", "", key).decode("utf-8").strip()
            if told:
                self._git("config", key, told)
        self._git("checkout", "--quiet", "--force", "-B", BRANCH, self.baseline)
        self._configure()

    def _configure(self) -> None:
        """The cache and the local settings of the repository, as `--temp` takes them over."""
        from configobj import ConfigObj
        from dvc.repo import Repo

        with Repo() as repo:
            settings = repo.config.read("local")
            settings.setdefault("cache", {})["dir"] = repo.cache.local_cache_dir
        path = self.workspace / ".dvc" / "config.local"
        written = ConfigObj(settings)
        written.filename = str(path)
        written.write()

    def _git(self, *arguments: str) -> bytes:
        return git.run(*arguments, folder=self.folder)


def remove_folder(folder: Path) -> None:
    """Delete a folder in which a process that was just killed may have left a file half-made."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder)
