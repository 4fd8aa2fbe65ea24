"""Copies of the repository in which runs take place, so that they never touch the workspace.

`dvc exp run --temp` is no way to several runs at once: of four that started together one died of
DVC's lock (seen in DVC 3.67); while one starts it changes params.yaml of the workspace and resets
it, so that a kill at that moment loses changes; and all hand their settings over through one stash,
whose first entry they take after the lock is given back (dvc.repo.experiments.queue.tempdir).
"""

import shutil
from pathlib import Path

from trackbed.running import repository
from trackbed.running.experiments import namespace

BRANCH = "trackbed-sweep"
# DVC's own settings of a copy; not every project has them in a .gitignore.
EXCLUDED = "/.dvc/config.local\n/.dvc/tmp\n/.dvc/cache\n"


class Copy:
    """A clone of a commit that shares git objects and DVC's cache with the repository."""

    def __init__(self, folder: Path, baseline: str) -> None:
        """folder: becomes the clone. baseline: full hash of the commit to run."""
        self.folder, self.baseline = folder.absolute(), baseline
        self.origin, self.prefix = repository.root(), repository.prefix()

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
        place = f"{namespace(self.baseline)}/{name}"
        if not self._git("for-each-ref", place):
            return False
        repository.git("fetch", "--quiet", "--no-tags", str(self.folder), f"+{place}:{place}")
        return True

    def remove(self) -> None:
        """Delete the copy; what it has in DVC's cache and in git stays."""
        remove(self.folder)

    def _clone(self) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        clone = ("clone", "--quiet", "--shared", "--no-checkout", "--no-tags")
        repository.git(*clone, str(self.origin), str(self.folder))
        (self.folder / ".git" / "info").mkdir(exist_ok=True)
        (self.folder / ".git" / "info" / "exclude").write_text(EXCLUDED)
        for key in ("user.name", "user.email"):
            told = repository.git("config", "--default", "", key).decode("utf-8").strip()
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
        return repository.git(*arguments, folder=self.folder)


def remove(folder: Path) -> None:
    """Delete a folder in which a process that was just killed may have left a file half-made."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder)
