"""What dvc.lock and the .dvc files record of outputs, and whether a file still matches."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from trackbed.pipeline.errors import Damaged, UserError

CHUNK = 1 << 20  # bytes; hashlib lets other threads run meanwhile
THREADS = min(8, 2 * (os.cpu_count() or 1))

Progress = Callable[[int], None]
"""Is told of every so many bytes that were read."""


@dataclass(frozen=True)
class FileState:
    """What lies at a place."""

    md5: str | None = None  # None: it could not be read, or nothing is there
    size: int = 0  # bytes
    error: str = ""  # why it could not be read; empty: nothing is there


MISSING = FileState()


@dataclass
class Hasher:
    """Hashes local files, those with several names (hard links) once."""

    told: Progress = lambda _: None
    known: dict[tuple[int, int], FileState] = field(default_factory=dict)  # by device and inode

    def files(self, paths: Sequence[str]) -> dict[str, FileState]:
        """What lies at each path."""
        places = {path: _inode(path) for path in paths}
        fresh = {place: path for path, place in places.items() if place not in self.known}
        fresh.pop(None, None)
        found = _in_threads(self._one, list(fresh.values()))
        self.known |= dict(zip(fresh, found, strict=True))
        return {
            path: self.known[place] if place else self._one(path) for path, place in places.items()
        }

    def _one(self, path: str) -> FileState:
        try:
            with Path(path).open("rb") as file:
                return hash_file(file, self.told)
        except FileNotFoundError:
            return MISSING
        except OSError as error:
            return FileState(error=error.strerror or f"{error}")


def _in_threads(work: Callable[[str], FileState], paths: Sequence[str]) -> Iterator[FileState]:
    """What `work` says of each path, in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(work, paths)


def hash_file(
    file: BinaryIO, told: Progress = lambda _: None, copy: BinaryIO | None = None
) -> FileState:
    """Hash and length of what is left of an open file, which is copied on the way if wanted."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy is not None:
            copy.write(chunk)
        told(len(chunk))
    return FileState(digest.hexdigest(), size)


def hash_bytes(content: bytes) -> FileState:
    """Hash and length of bytes in memory."""
    return FileState(hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


FOLDER = ".dir"  # ends the hash of a folder, which is that of the list of its files


@dataclass(frozen=True)
class Output:
    """An output of a stage, or what `dvc add` tracks."""

    path: str  # relative to the current folder, with forward slashes
    md5: str | None  # of the file, or of the folder's list with FOLDER behind; None: no record
    size: int | None  # bytes
    stage: str  # as DVC calls it, 'train' or 'data/raw.dvc'
    made: bool  # by a stage that can be run again
    cached: bool  # False: kept in the workspace alone
    pushed: bool = True  # whether the remote storage is to have it
    remote: str | None = None  # the storage it has for itself
    files: tuple[str, ...] = field(default=(), compare=False)  # in the workspace, if a folder

    @property
    def is_folder(self) -> bool:
        """Whether the record is of a folder."""
        return (self.md5 or "").endswith(FOLDER)


@contextlib.contextmanager
def repository() -> Iterator[Any]:
    """DVC's view of the current folder, a dvc.repo.Repo. Raises UserError with DVC's own words."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        raise UserError(f"{error}".strip().partition("\n")[0]) from error


def outputs(repo: Any) -> list[Output]:
    """All outputs in the repository's folder, by path; those outside are left out."""
    return sorted(
        (_output(repo, out) for out in repo.index.outs if out.is_in_repo),
        key=lambda output: output.path,
    )


def _output(repo: Any, out: Any) -> Output:
    md5 = out.hash_info.value if out.hash_info and out.hash_info.name == "md5" else None
    path = Path(os.path.relpath(out.fs_path))
    listed = repo.dvcignore.find(repo.fs, out.fs_path) if path.is_dir() else ()
    return Output(
        path.as_posix(),
        md5,
        out.meta.size if out.meta else None,
        out.stage.addressing,
        made=bool(out.stage.cmd),
        cached=out.use_cache,
        pushed=out.can_push and not out.stage.is_import,
        remote=out.remote,
        files=tuple(sorted(os.path.relpath(name, out.fs_path) for name in listed)),
    )


def folder_listing(hashes: Mapping[str, str]) -> bytes:
    """The list of a folder as DVC writes it: {name below the folder: md5} -> JSON."""
    rows = [{"md5": hashes[name], "relpath": name} for name in sorted(hashes)]
    return json.dumps(rows, sort_keys=True).encode("utf-8")


def parse_listing(content: bytes) -> dict[str, str]:
    """The hash of every file of a folder's list, by its name below the folder."""
    return {row["relpath"]: row["md5"] for row in json.loads(content)}


LOCK = Path("dvc.lock")


def check_unchanged(folder: Path, lock: Path = LOCK) -> None:
    """Raise Damaged if a folder is not as the lock file says that its stage left it.

    `dvc repro` of that stage sees a changed output by itself; `dvc repro -s` of a later one does
    not, nor does a script that is run by hand. Without a record of the folder nothing is refused.
    Raises UserError for a lock file that cannot be read.
    """
    wanted = _recorded(folder, lock)
    if wanted is None:
        return
    paths = {path.relative_to(folder).as_posix(): f"{path}" for path in _files(folder)}
    found = Hasher().files(list(paths.values()))
    hashes = {name: found[path].md5 or "" for name, path in paths.items()}
    listed = hash_bytes(folder_listing(hashes))
    if f"{listed.md5}{FOLDER}" != wanted:
        raise Damaged(
            f"{folder}: not what {lock} names (MD5 {wanted[:12]}…, found {listed.md5[:12]}…): "
            f"changed since, or from elsewhere. `dvc checkout --force {folder}` brings the "
            "recorded one back, `dvc repro` makes it anew."
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _recorded(folder: Path, lock: Path) -> str | None:
    """The MD5 of a folder in a lock file, None where there is no such file or entry."""
    try:
        content = yaml.safe_load(lock.read_text("utf-8"))
        outs = [out for stage in content["stages"].values() for out in stage.get("outs", ())]
        return _md5_of(outs, folder)
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{lock}: not readable ({error}). `git checkout {lock}`.") from error


def _md5_of(outs: list[dict[str, Any]], folder: Path) -> str | None:
    return next((out.get("md5") for out in outs if Path(out["path"]) == folder), None)
