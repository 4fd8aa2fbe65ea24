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


def add_refusals(folder: Path) -> list[str]:
    """Why `dvc add` in the current folder refuses another one, whatever lies in it.

    Empty where it takes it, and where the current folder is in no project of DVC.
    """
    try:
        with repository() as repo:
            return list(_add_refusals(repo, folder))
    except UserError:
        return []


def _add_refusals(repo: Any, folder: Path) -> Iterator[str]:
    path, root = folder.resolve(), Path(repo.root_dir).resolve()
    if root.is_relative_to(path):
        yield f"{folder}: holds the project itself. Put the pictures into a folder of their own."
        return
    if not path.is_relative_to(root):
        yield (
            f"{folder}: outside of the project {root}. Move it there, or let DVC copy it with "
            f"`dvc add {folder} --out data/{path.name}`."
        )
        return
    for out in repo.index.outs:
        other = Path(out.fs_path).resolve()
        if other == path and out.stage.cmd:
            yield f"{folder}: an output of the stage {out.stage.addressing}."
        elif other != path and (path.is_relative_to(other) or other.is_relative_to(path)):
            yield f"{folder}: DVC already tracks {os.path.relpath(other)} ({out.stage.addressing})."
    if repo.dvcignore.is_ignored(repo.fs, str(path)):
        yield f"{folder}: ignored by .dvcignore."
    if not repo.config["core"].get("no_scm"):
        yield from _git_refusals(repo, folder, path)


def _git_refusals(repo: Any, folder: Path, path: Path) -> Iterator[str]:
    if repo.scm.is_tracked(str(path)):
        yield (
            f"{folder}: tracked by git. Run `git rm -r --cached {folder}` and commit; the files "
            "stay where they are."
        )
    if repo.scm.is_ignored(f"{path}.dvc"):
        yield f"{folder}.dvc: ignored by git, so that DVC refuses to write it. Change .gitignore."


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
    config = ConfigObj(settings, encoding="utf-8")  # ASCII without it
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
        files=tuple(sorted(Path(os.path.relpath(name, out.fs_path)).as_posix() for name in files)),
    )
