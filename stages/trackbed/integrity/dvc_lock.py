"""Hashes of files and folders as DVC computes them, and what dvc.lock records of a stage."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from trackbed.pipeline.errors import Damaged, UserError

LOCK = Path("dvc.lock")
FOLDER = ".dir"  # suffix of a folder's hash, which is the hash of the list of its files
CHUNK = 1 << 20  # bytes; hashlib lets other threads run meanwhile
THREADS = min(8, 2 * (os.cpu_count() or 1))

Progress = Callable[[int], None]
"""Is called with the number of bytes after each chunk that was read."""


@dataclass(frozen=True)
class FileState:
    """What was found at a path."""

    md5: str | None = None  # None: it could not be read, or nothing is there
    size: int = 0  # bytes
    error: str = ""  # why it could not be read; empty: nothing is there


MISSING = FileState()


@dataclass
class Hasher:
    """Hashes local files; a file with several names (hard links) is read once."""

    progress: Progress = lambda _: None
    known: dict[tuple[int, int], FileState] = field(default_factory=dict)  # by device and inode

    def files(self, paths: Sequence[str]) -> dict[str, FileState]:
        """The state of the file at each path."""
        inodes = {path: _inode(path) for path in paths}
        fresh = {inode: path for path, inode in inodes.items() if inode not in self.known}
        fresh.pop(None, None)
        with ThreadPoolExecutor(THREADS) as pool:
            states = pool.map(self._file, fresh.values())
            self.known |= dict(zip(fresh, states, strict=True))
        return {
            path: self.known[inode] if inode else self._file(path) for path, inode in inodes.items()
        }

    def _file(self, path: str) -> FileState:
        try:
            with Path(path).open("rb") as file:
                return hash_file(file, self.progress)
        except FileNotFoundError:
            return MISSING
        except OSError as error:
            return FileState(error=error.strerror or f"{error}")


def hash_file(
    file: BinaryIO, progress: Progress = lambda _: None, copy: BinaryIO | None = None
) -> FileState:
    """Hash and length of the rest of an open file. copy: a second file that gets the bytes."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy is not None:
            copy.write(chunk)
        progress(len(chunk))
    return FileState(digest.hexdigest(), size)


def hash_bytes(content: bytes) -> FileState:
    """Hash and length of bytes in memory."""
    return FileState(hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))


def has_hash(content: bytes, name: str) -> bool:
    """Whether bytes are the object of this name: its MD5, for a folder's list with FOLDER."""
    return hash_bytes(content).md5 == name.removesuffix(FOLDER)


def folder_listing(hashes: Mapping[str, str]) -> bytes:
    """The list of a folder's files as DVC writes it: {name below the folder: md5} as JSON."""
    rows = [{"md5": hashes[name], "relpath": name} for name in sorted(hashes)]
    return json.dumps(rows, sort_keys=True).encode("utf-8")


def parse_listing(content: bytes) -> dict[str, str]:
    """The hash of every file in a folder's list, by its name below the folder."""
    return {row["relpath"]: row["md5"] for row in json.loads(content)}


@dataclass(frozen=True)
class StageRecord:
    """What dvc.lock records of one run of a stage.

    params: sections of params.yaml, every scalar as text. deps: MD5 by path, '' where DVC recorded
    none. outs: MD5 by path, those without one left out.
    """

    params: dict[str, Any]
    deps: dict[str, str]
    outs: dict[str, str]


def stage_records(lock: bytes | None) -> dict[str, StageRecord]:
    """The records of all stages in the text of a dvc.lock, by name; {} for no or invalid text."""
    try:
        stages = yaml.load(lock or b"", Loader=yaml.BaseLoader)["stages"]
        return {name: _stage_record(stage) for name, stage in stages.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}


def workspace_lock() -> bytes | None:
    """The text of dvc.lock in the workspace; None where there is none."""
    try:
        return LOCK.read_bytes()
    except OSError:
        return None


def check_unchanged(folder: Path, lock: Path = LOCK) -> None:
    """Raise Damaged if the content of a folder differs from its hash in the lock file.

    `dvc repro` of the stage that made the folder sees a change by itself; `dvc repro -s` of a later
    stage does not, nor does a script that is run by hand. A folder without a record passes.
    Raises UserError for a lock file that cannot be read.
    """
    recorded = _recorded_md5(folder, lock)
    if recorded is None:
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    paths = {path.relative_to(folder).as_posix(): f"{path}" for path in files}
    states = Hasher().files(list(paths.values()))
    found = hash_bytes(
        folder_listing({name: states[path].md5 or "" for name, path in paths.items()})
    )
    if f"{found.md5}{FOLDER}" != recorded:
        raise Damaged(
            f"{folder}: not what {lock} names (MD5 {recorded[:12]}…, found {found.md5[:12]}…): "
            f"changed since, or from elsewhere. `dvc checkout --force {folder}` brings the "
            "recorded one back, `dvc repro` makes it anew."
        )


def _inode(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _stage_record(stage: dict[str, Any]) -> StageRecord:
    return StageRecord(
        stage.get("params", {}).get("params.yaml", {}),
        {dep["path"]: dep.get("md5", "") for dep in stage.get("deps", [])},
        {out["path"]: out["md5"] for out in stage.get("outs", []) if "md5" in out},
    )


def _recorded_md5(folder: Path, lock: Path) -> str | None:
    """The MD5 of a folder in a lock file; None where there is no such file or entry."""
    try:
        stages = yaml.safe_load(lock.read_text("utf-8"))["stages"].values()
        outs = [out for stage in stages for out in stage.get("outs", ())]
        return next((out.get("md5") for out in outs if Path(out["path"]) == folder), None)
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{lock}: not readable ({error}). `git checkout {lock}`.") from error
