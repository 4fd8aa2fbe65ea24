"""Hash every recorded file: in the workspace, in the cache, and in the remote storage."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackbed.integrity import dvc_lock, dvc_repo, git
from trackbed.integrity.dvc_lock import MISSING, FileState, Hasher, Progress
from trackbed.integrity.dvc_repo import Output
from trackbed.integrity.storage import Remotes
from trackbed.integrity.verification import Checked, Copies, File
from trackbed.pipeline.errors import UserError

Bar = Callable[[str, int], contextlib.AbstractContextManager[Progress]]
"""A progress bar. Takes a title and the total of bytes."""


@dataclass(frozen=True)
class Inspection:
    """The recorded files with the state of their copies."""

    checked: list[Checked]
    unlisted: list[tuple[str, Output]]  # files in output folders that the folders' lists lack
    unrecorded: list[Output]
    lists: dict[str, bytes]  # of folders, as recorded, by the name of their object


@dataclass
class Inspector:
    """Collects the state of the copies.

    remote: whether to hash the remote storage too. fetch: whether lists may come from there.
    """

    repo: Any
    remotes: Remotes
    remote: bool
    fetch: bool
    bar: Bar
    hasher: Hasher = field(default_factory=Hasher)
    workspace: dict[str, FileState] = field(default_factory=dict)  # by path
    folders: dict[str, FileState] = field(default_factory=dict)  # of lists made from the workspace
    cached: dict[str, FileState] = field(default_factory=dict)  # by name of the object
    stored: dict[str, FileState] = field(default_factory=dict)  # in the remote storage, by path
    lists: dict[str, bytes] = field(default_factory=dict)

    def hash_workspace(self, outputs: Sequence[Output]) -> None:
        """Hash the files of outputs."""
        paths = [path for output in outputs for path in _workspace_paths(output)]
        with self.bar("workspace", _total_bytes(paths)) as self.hasher.progress:
            self.workspace = self.hasher.files(paths)

    def load_list(self, output: Output) -> None:
        """Take the list of a folder from the first place that has it as recorded."""
        hashes = {name: self.workspace[f"{output.path}/{name}"].md5 or "" for name in output.files}
        made, name = dvc_lock.folder_listing(hashes), output.md5 or ""
        exists = Path(output.path).exists()
        self.folders[output.path] = dvc_lock.hash_bytes(made) if exists else MISSING
        if not output.cached:
            return
        with contextlib.suppress(OSError):
            self._accept(name, dvc_repo.object_path(self.repo, name).read_bytes())
        if self._accept(name, made) or not (self.fetch and output.pushed):
            return
        with contextlib.suppress(UserError):
            self._accept(name, self.remotes.content(output, name))

    def hash_cache(self, files: Sequence[File]) -> None:
        """Hash the objects of files in the cache."""
        names = {file.name for file in files if file.output.cached}
        paths = {name: str(dvc_repo.object_path(self.repo, name)) for name in sorted(names)}
        with self.bar("cache", _total_bytes(paths.values())) as self.hasher.progress:
            states = self.hasher.files(list(paths.values()))
        self.cached = {name: states[path] for name, path in paths.items()}

    def hash_remote(self, files: Sequence[File]) -> None:
        """Hash the objects of files in the remote storage, if it is to be checked."""
        if not self.remote:
            return
        files = [file for file in files if file.output.cached and file.output.pushed]
        copies = ((self.workspace.get(file.path), self.cached[file.name]) for file in files)
        total = sum(max(state.size for state in states if state) for states in copies)
        with self.bar("remote", total) as progress:
            self.stored = self.remotes.states(files, progress)

    def copies(self, file: File) -> Copies:
        """The copies of a file; the files of a folder are checked instead of a list they match."""
        if not file.path.endswith("/"):
            workspace = self.workspace.get(file.path, MISSING)
        else:
            folder = self.folders[file.output.path]
            workspace = None if folder != MISSING and file.name in self.lists else folder
        return Copies(workspace, self.cached.get(file.name), self.stored.get(file.path))

    def _accept(self, name: str, content: bytes) -> bool:
        if dvc_lock.has_hash(content, name):
            self.lists[name] = content
        return name in self.lists


def inspect(repo: Any, remotes: Remotes, bar: Bar, *, remote: bool, fetch: bool) -> Inspection:
    """Hash everything that dvc.lock and the .dvc files name.

    remote: whether in the remote storage too. fetch: whether a folder's list may come from there.
    Raises UserError if nothing is recorded, or the storage cannot be reached.
    """
    outputs = dvc_repo.outputs(repo)
    recorded = [output for output in outputs if output.md5]
    if not recorded:
        raise UserError(
            "dvc.lock: nothing is recorded, so nothing can be checked. Run `dvc repro`."
        )
    if remote:
        remotes.refuse_unreachable([one for one in recorded if one.cached and one.pushed])
    inspector = Inspector(repo, remotes, remote, remote or fetch, bar)
    inspector.hash_workspace(recorded)
    for output in recorded:
        if output.is_folder:
            inspector.load_list(output)
    files = [file for output in recorded for file in _recorded_files(output, inspector.lists)]
    inspector.hash_cache(files)
    inspector.hash_remote(files)
    return Inspection(
        _checked_files(files, inspector),
        _unlisted(recorded, files, inspector.lists),
        [output for output in outputs if not output.md5],
        inspector.lists,
    )


def _checked_files(files: Sequence[File], inspector: Inspector) -> list[Checked]:
    twins = {state.md5: path for path, state in inspector.workspace.items() if state.md5}
    outputs = {file.output.path: file.output for file in files}
    here = {path for path in outputs if Path(path).exists()}
    in_git = {path for path in outputs.keys() - here if _in_git(outputs[path])}
    return [
        Checked(
            file,
            inspector.copies(file),
            file.output.path if file.name in inspector.lists else twins.get(file.md5),
            output_here=file.output.path in here,
            elsewhere=_may_be_elsewhere(file.output, inspector),
            in_git=file.output.path in in_git,
        )
        for file in files
    ]


def _may_be_elsewhere(output: Output, inspector: Inspector) -> bool:
    return not inspector.remote and output.pushed and bool(inspector.remotes.name_for(output))


def _unlisted(
    outputs: Sequence[Output], files: Sequence[File], lists: dict[str, bytes]
) -> list[tuple[str, Output]]:
    names = {file.path for file in files}
    folders = (output for output in outputs if output.md5 in lists)
    found = ((path, output) for output in folders for path in _workspace_paths(output))
    return [(path, output) for path, output in found if path not in names]


def _workspace_paths(output: Output) -> list[str]:
    """The files in the workspace to be hashed."""
    if not output.is_folder:
        return [output.path]
    return [f"{output.path}/{name}" for name in output.files]


def _recorded_files(output: Output, lists: dict[str, bytes]) -> list[File]:
    name = output.md5 or ""
    if not output.is_folder:
        return [File(output.path, name, output.size, output)]
    files = [File(f"{output.path}/", name, None, output)]
    if name in lists:
        hashes = dvc_lock.parse_listing(lists[name])
        files += [File(f"{output.path}/{path}", hashes[path], None, output) for path in hashes]
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
