"""Look at every file of the record: in the workspace, in the cache, in the remote storage."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackbed.integrity import dvc_lock, git
from trackbed.integrity.dvc_lock import MISSING, FileState, Hasher, Output, Progress, hash_bytes
from trackbed.integrity.storage import Remotes
from trackbed.integrity.verification import Checked, Copies, File
from trackbed.pipeline.errors import UserError

Bar = Callable[[str, int], contextlib.AbstractContextManager[Progress]]
"""Shows how much is done; takes a title and the bytes in all."""


@dataclass(frozen=True)
class Inspection:
    """What was seen."""

    checked: list[Checked]
    unlisted: list[tuple[str, Output]]  # files in output folders whose lists do not have them
    unrecorded: list[Output]
    lists: dict[str, bytes]  # of folders, as recorded, by the name of their object


@dataclass
class Inspector:
    """What is seen. ask: also in the remote storage; fetch: lists may come from there."""

    repo: Any
    remotes: Remotes
    ask: bool
    fetch: bool
    bar: Bar
    hasher: Hasher = field(default_factory=Hasher)
    workspace: dict[str, FileState] = field(default_factory=dict)  # by path
    folders: dict[str, FileState] = field(default_factory=dict)  # lists made from the workspace
    cache: dict[str, FileState] = field(default_factory=dict)  # by name of the object
    remote: dict[str, FileState] = field(default_factory=dict)  # by path
    lists: dict[str, bytes] = field(default_factory=dict)

    def into_workspace(self, outputs: Sequence[Output]) -> None:
        """Hash the files of outputs."""
        paths = [path for output in outputs for path in _workspace_paths(output)]
        with self.bar("workspace", _total_bytes(paths)) as self.hasher.told:
            self.workspace = self.hasher.files(paths)

    def for_list(self, output: Output) -> None:
        """Take the list of a folder from the first place that has it as recorded."""
        seen = {name: self.workspace[f"{output.path}/{name}"].md5 or "" for name in output.files}
        made, name = dvc_lock.folder_listing(seen), output.md5 or ""
        self.folders[output.path] = hash_bytes(made) if Path(output.path).exists() else MISSING
        if not output.cached:
            return
        with contextlib.suppress(OSError):
            self._take(name, Path(self.repo.cache.local.oid_to_path(name)).read_bytes())
        if self._take(name, made) or not (self.fetch and output.pushed):
            return
        with contextlib.suppress(UserError):
            self._take(name, self.remotes.content(output, name))

    def into_cache(self, files: Sequence[File]) -> None:
        """Hash their objects."""
        path = self.repo.cache.local.oid_to_path
        paths = {file.name: path(file.name) for file in files if file.output.cached}
        with self.bar("cache", _total_bytes(paths.values())) as self.hasher.told:
            seen = self.hasher.files(list(paths.values()))
        self.cache = {name: seen[path] for name, path in paths.items()}

    def into_remote(self, files: Sequence[File]) -> None:
        """Hash their objects, wherever they are to be."""
        if not self.ask:
            return
        files = [file for file in files if file.output.cached and file.output.pushed]
        places = ((self.workspace.get(file.path), self.cache[file.name]) for file in files)
        total = sum(max(seen.size for seen in found if seen) for found in places)
        with self.bar("remote", total) as told:
            self.remote = self.remotes.seen(files, told)

    def of(self, file: File) -> Copies:
        """What was seen of a file; each file of a folder with a list stands for itself."""
        if not file.path.endswith("/"):
            workspace = self.workspace.get(file.path, MISSING)
        else:
            folder = self.folders[file.output.path]
            workspace = None if folder != MISSING and file.name in self.lists else folder
        return Copies(workspace, self.cache.get(file.name), self.remote.get(file.path))

    def _take(self, name: str, content: bytes) -> bool:
        if hash_bytes(content).md5 == name.removesuffix(dvc_lock.FOLDER):
            self.lists[name] = content
        return name in self.lists


def inspect(repo: Any, remotes: Remotes, bar: Bar, *, ask: bool, fetch: bool) -> Inspection:
    """Hash everything that the record names.

    ask: whether in the remote storage too. fetch: whether the list of a folder may come from there.
    Raises UserError if there is no record, or the storage cannot be reached.
    """
    outputs = dvc_lock.outputs(repo)
    kept = [output for output in outputs if output.md5]
    if not kept:
        raise UserError(
            "dvc.lock: nothing is recorded, so nothing can be checked. Run `dvc repro`."
        )
    if ask:
        remotes.refuse_unreachable([output for output in kept if output.cached and output.pushed])
    look = Inspector(repo, remotes, ask, ask or fetch, bar)
    look.into_workspace(kept)
    for output in kept:
        if output.is_folder:
            look.for_list(output)
    files = [file for output in kept for file in _recorded_files(output, look.lists)]
    look.into_cache(files)
    look.into_remote(files)
    checked = _checked_files(files, look)
    unrecorded = [output for output in outputs if not output.md5]
    return Inspection(checked, _unlisted(kept, files, look.lists), unrecorded, look.lists)


def _checked_files(files: Sequence[File], look: Inspector) -> list[Checked]:
    twins = {seen.md5: path for path, seen in look.workspace.items() if seen.md5}
    outputs = {file.output.path: file.output for file in files}
    here = {path for path in outputs if Path(path).exists()}
    in_git = {path for path in outputs.keys() - here if _in_git(outputs[path])}
    return [
        Checked(
            file,
            look.of(file),
            file.output.path if file.name in look.lists else twins.get(file.md5),
            file.output.path in here,
            not look.ask and file.output.pushed and bool(look.remotes.of(file.output)),
            file.output.path in in_git,
        )
        for file in files
    ]


def _unlisted(
    outputs: Sequence[Output], files: Sequence[File], lists: dict[str, bytes]
) -> list[tuple[str, Output]]:
    names = {file.path for file in files}
    listed = (output for output in outputs if output.md5 in lists)
    found = ((path, output) for output in listed for path in _workspace_paths(output))
    return [(path, output) for path, output in found if path not in names]


def _workspace_paths(output: Output) -> list[str]:
    """The files in the workspace that are to be hashed."""
    if not output.is_folder:
        return [output.path]
    return [f"{output.path}/{name}" for name in output.files]


def _recorded_files(output: Output, lists: dict[str, bytes]) -> list[File]:
    name = output.md5 or ""
    if not output.is_folder:
        return [File(output.path, name, output.size, output)]
    files = [File(f"{output.path}/", name, None, output)]
    if name in lists:
        inside = dvc_lock.parse_listing(lists[name])
        files += [File(f"{output.path}/{path}", inside[path], None, output) for path in inside]
    return files


def _in_git(output: Output) -> bool:
    with contextlib.suppress(UserError):  # a project without git
        return bool(git.run("ls-files", "--", output.path))
    return False


def _total_bytes(paths: Iterable[str]) -> int:
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += Path(path).stat().st_size
    return total
