"""DVC's view of the project: its outputs, cache, settings, and files of other revisions.

The only module that reads projects with DVC's Python interface; it is imported inside functions,
since that takes a second.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackbed.integrity.dvc_lock import FOLDER, has_hash
from trackbed.pipeline.errors import Damaged, UserError


@dataclass(frozen=True)
class Output:
    """An output of a stage, or what `dvc add` tracks."""

    path: str  # relative to the current folder, with forward slashes
    md5: str | None  # of the file, or of the folder's list followed by FOLDER; None: no record
    size: int | None  # bytes
    stage: str  # as DVC calls it, 'train' or 'data/raw.dvc'
    made: bool  # by a stage that can be run again
    cached: bool  # False: kept in the workspace alone
    pushed: bool = True  # whether the remote storage is to have it
    remote: str | None = None  # the name of its own storage, None for the default
    files: tuple[str, ...] = field(default=(), compare=False)  # in the workspace, if a folder

    @property
    def is_folder(self) -> bool:
        """Whether the record is of a folder."""
        return (self.md5 or "").endswith(FOLDER)


@contextlib.contextmanager
def repository() -> Iterator[Any]:
    """The dvc.repo.Repo of the current folder. Raises UserError with DVC's message."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        raise UserError(f"{error}".strip().partition("\n")[0]) from error


def outputs(repo: Any) -> list[Output]:
    """All outputs inside the repository's folder, sorted by path."""
    return sorted(
        (_output(repo, out) for out in repo.index.outs if out.is_in_repo),
        key=lambda output: output.path,
    )


def object_path(repo: Any, name: str) -> Path:
    """Where DVC's cache keeps the object of a hash, whether it is there or not."""
    return Path(repo.cache.local.oid_to_path(name))


def cached_object(repo: Any, name: str) -> bytes | None:
    """The content of an object in DVC's cache; None if it is not there. Raises Damaged."""
    path = object_path(repo, name)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if not has_hash(content, name):
        raise Damaged(f"{path}: not as DVC wrote it. `trackbed verify --repair` may mend it.")
    return content


def experiments_reference(baseline: str) -> str:
    """The prefix of the git references of a commit's experiments. baseline: its full hash."""
    return f"refs/exps/{baseline[:2]}/{baseline[2:]}"


def write_local_settings(clone: Path) -> None:
    """Give a clone the cache and the local settings of the current project.

    `dvc exp run --temp` does the same for its own copies. clone: the project's folder in it.
    """
    from configobj import ConfigObj

    with repository() as repo:
        settings = repo.config.read("local")
        settings.setdefault("cache", {})["dir"] = repo.cache.local_cache_dir
    config = ConfigObj(settings)
    config.filename = str(clone / ".dvc" / "config.local")
    config.write()


def _output(repo: Any, out: Any) -> Output:
    md5 = out.hash_info.value if out.hash_info and out.hash_info.name == "md5" else None
    path = Path(os.path.relpath(out.fs_path))
    files = repo.dvcignore.find(repo.fs, out.fs_path) if path.is_dir() else ()
    return Output(
        path.as_posix(),
        md5,
        out.meta.size if out.meta else None,
        out.stage.addressing,
        made=bool(out.stage.cmd),
        cached=out.use_cache,
        pushed=out.can_push and not out.stage.is_import,
        remote=out.remote,
        files=tuple(sorted(os.path.relpath(name, out.fs_path) for name in files)),
    )
