"""Restore damaged files from a place that still has them as recorded.

An altered file is moved aside, never deleted.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackbed.integrity import dvc_lock, dvc_repo
from trackbed.integrity.dvc_lock import MISSING
from trackbed.integrity.storage import Remotes
from trackbed.integrity.verification import CACHE, REMOTE, WORKSPACE, Checked, File
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import replacing

ASIDE = ".cache/verify"  # below the repository's folder, with the path in it


@dataclass(frozen=True)
class Outcome:
    """The result of repairing a file in one place."""

    path: str
    where: str
    done: bool
    message: str
    name: str = ""  # of the object, outside the workspace


@contextlib.contextmanager
def locked(repo: Any) -> Iterator[None]:
    """Keep other DVC processes out. Raises UserError if one is running."""
    from dvc.lock import LockError
    from dvc.rwlock import rwlock

    command = "trackbed verify --repair"
    hardlink = repo.config["core"].get("hardlink_lock", False)
    try:
        # The second lock is what a stage holds while its command runs.
        with (
            repo.lock,
            rwlock(repo.tmp_dir, repo.fs, command, [], [repo.root_dir], hardlink),
        ):
            yield
    except LockError as error:
        reason = f"{error}".partition("\n")[0]
        raise UserError(f"DVC is at work here, so nothing is repaired now: {reason}") from error


@dataclass
class Repair:
    """One repair of everything that was checked.

    lists: of folders, as recorded, by the name of their object. write: whether to repair the
    remote storage too.
    """

    repo: Any
    remotes: Remotes
    lists: dict[str, bytes]
    write: bool
    restored: dict[str, bool] = field(default_factory=dict)  # by name of the object

    def outcomes(self, checked: Sequence[Checked]) -> Iterator[Outcome]:
        """Repair file by file. Folders' lists are the last to be written to the remote storage.

        DVC takes a folder for complete if its list is there.
        """
        cached = [one for one in checked if one.file.output.cached]
        sharing: dict[str, list[Checked]] = {}
        for one in cached:
            sharing.setdefault(one.file.name, []).append(one)
        for several in sharing.values():
            yield from self._cache(several)
        for one in cached:
            yield from self._workspace(one)
        if self.write:
            for one in sorted(cached, key=lambda one: one.file.path.endswith("/")):
                yield from self._remote(one)

    def _cache(self, sharing: list[Checked]) -> Iterator[Outcome]:
        """Repair the object that these files share."""
        file, state = sharing[0].file, sharing[0].copies.cache
        if file.matches(state):
            self.restored[file.name] = True
            return
        if state == MISSING and all(one.copies.workspace == MISSING for one in sharing):
            return  # not here at all, which `dvc pull` is for
        source, reason = self._filled(sharing)
        self.restored[file.name] = source is not None
        if source is None and state != MISSING:
            kept = _moved_aside(self._object(file), self._aside() / CACHE / file.name)
            reason += f"; the damaged object is kept as {kept}"
        message = f"from the {source}" if source else reason
        yield Outcome(file.path, CACHE, source is not None, message, file.name)

    def _filled(self, sharing: list[Checked]) -> tuple[str | None, str]:
        """Write an object again from the first place that has it; the place, or why there is none.

        Outputs may have storages of their own, so each is tried.
        """
        reason = "no place has it as recorded"
        places = {(self.remotes.name_for(one.file.output), one.elsewhere): one for one in sharing}
        for one in places.values():
            try:
                if source := self._fill(one):
                    return source, ""
            except (OSError, UserError) as error:
                reason = f"{error}"
        return None, reason

    def _fill(self, one: Checked) -> str | None:
        """Write an object again; its source, None if there is none. Raises UserError."""
        file, path = one.file, self._object(one.file)
        if file.name in self.lists:
            with self._replaced(path) as temporary:
                temporary.write_bytes(self.lists[file.name])
            return "files that the folder has"
        if one.twin:
            with self._replaced(path) as temporary:
                _copy(Path(one.twin), temporary, file)
            return WORKSPACE
        if not (REMOTE in one.good or one.elsewhere):
            return None
        with self._replaced(path) as temporary:
            arrived = self.remotes.fetch(file, temporary)
            if not file.matches(arrived):
                raise UserError(f"the remote storage has none that is as recorded ({file.name})")
        return "remote storage"

    def _workspace(self, one: Checked) -> Iterator[Outcome]:
        file, state = one.file, one.copies.workspace
        away = state == MISSING and not one.output_here
        if state is None or away or file.matches(state) or not self.restored.get(file.name):
            return
        path, kept = Path(file.path), ""
        if file.path.endswith("/"):
            return
        try:
            if path.is_symlink():  # to an object in the cache, which is kept there
                path.unlink()
            elif state != MISSING:
                inside = os.path.relpath(path, self.repo.root_dir)
                kept = f"; what was there is kept as {_moved_aside(path, self._aside() / inside)}"
            with replacing(path) as temporary:
                _copy(self._object(file), temporary, file)
        except (OSError, UserError) as error:
            yield Outcome(file.path, WORKSPACE, False, f"{error}{kept}")
        else:
            yield Outcome(file.path, WORKSPACE, True, f"from the cache{kept}")

    def _remote(self, one: Checked) -> Iterator[Outcome]:
        file, state = one.file, one.copies.remote
        if state is None or file.matches(state) or not self.restored.get(file.name):
            return
        try:
            self.remotes.put(file, self._object(file))
            done = file.matches(self.remotes.states([file])[file.path])
            message = "from the cache" if done else "it does not hold what was written"
        except UserError as error:
            done, message = False, f"{error}"
        yield Outcome(file.path, REMOTE, done, message, file.name)

    def _aside(self) -> Path:
        return Path(os.path.relpath(self.repo.root_dir)) / ASIDE

    def _object(self, file: File) -> Path:
        return dvc_repo.object_path(self.repo, file.name)

    @contextlib.contextmanager
    def _replaced(self, path: Path) -> Iterator[Path]:
        """A temporary path that becomes an object of the cache, read-only as DVC expects."""
        self.repo.cache.local.makedirs(str(path.parent))
        with replacing(path) as temporary:
            yield temporary
        self.repo.cache.local.protect(str(path))


def _copy(source: Path, target: Path, file: File) -> None:
    """Copy a file and check its hash. Raises UserError if it is not as recorded (any more)."""
    with source.open("rb") as original, target.open("wb") as copy:
        state = dvc_lock.hash_file(original, copy=copy)
    if not file.matches(state):
        raise UserError(f"{source}: it changed meanwhile.")


def _moved_aside(path: Path, target: Path) -> Path:
    """Move a file to the first free name: `name`, `name.1`, ..."""
    number, free = 0, target
    while free.exists():
        number += 1
        free = target.with_name(f"{target.name}.{number}")
    free.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, free)
    return free
