"""What dvc.lock and the .dvc files say of the outputs: names, hashes, who makes them."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackbed.problems import Problem

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
    """DVC's view of the current folder, a dvc.repo.Repo. Raises Problem with DVC's own words."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        raise Problem(f"{error}".strip().partition("\n")[0]) from error


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


def listing(hashes: Mapping[str, str]) -> bytes:
    """The list of a folder as DVC writes it: {name below the folder: md5} -> JSON."""
    rows = [{"md5": hashes[name], "relpath": name} for name in sorted(hashes)]
    return json.dumps(rows, sort_keys=True).encode("utf-8")


def listed(content: bytes) -> dict[str, str]:
    """The hash of every file of a folder's list, by its name below the folder."""
    return {row["relpath"]: row["md5"] for row in json.loads(content)}
