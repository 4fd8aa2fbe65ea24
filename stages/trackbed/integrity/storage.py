"""The objects of remote storages, read and written through DVC's file systems."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from trackbed.integrity import dvc_lock
from trackbed.integrity.dvc_lock import MISSING, THREADS, FileState, Progress
from trackbed.integrity.dvc_repo import Output
from trackbed.integrity.verification import File
from trackbed.pipeline.errors import UserError


class Remotes:
    """The remote storages of the outputs: one for all of them, or the default and their own."""

    def __init__(self, repo: Any, name: str | None = None) -> None:
        """name: the storage to use for all outputs; None: their own, or the default."""
        self.repo, self.name = repo, name
        self.default = repo.config["core"].get("remote")
        self.databases: dict[str, Any] = {}

    def name_for(self, output: Output) -> str | None:
        """The name of an output's storage; None if there is none."""
        return self.name or output.remote or self.default

    def refuse_unreachable(self, outputs: Sequence[Output]) -> None:
        """Raise UserError if a storage does not exist, for example because it is not mounted."""
        for storage in sorted({self._storage(output) for output in outputs}):
            database = self._database(storage)
            with _storage_errors(storage):
                exists = database.fs.exists(database.path)
            if not exists:
                raise UserError(
                    f"remote storage {storage}: nothing at {database.path}. Is it mounted, and the "
                    "address right? If nothing was ever pushed: `dvc push`."
                )

    def states(
        self, files: Sequence[File], progress: Progress = lambda _: None
    ) -> dict[str, FileState]:
        """The state of each file's object, by the file's path. Raises UserError."""
        places = {file.path: (self._storage(file.output), file.name) for file in files}
        wanted = sorted(set(places.values()))
        for storage in {storage for storage, _ in wanted}:
            self._database(storage)  # once, not in every thread
        with ThreadPoolExecutor(THREADS) as pool:
            found = pool.map(lambda place: self._read(*place, progress=progress), wanted)
            states = dict(zip(wanted, found, strict=True))
        return {path: states[place] for path, place in places.items()}

    def content(self, output: Output, name: str) -> bytes:
        """The bytes of an object; empty if there is no such object. Raises UserError."""
        copy = io.BytesIO()
        self._read(self._storage(output), name, copy=copy)
        return copy.getvalue()

    def fetch(self, file: File, target: Path) -> FileState:
        """Copy an object to a file; the state of the copy. Raises UserError."""
        with target.open("wb") as copy:
            return self._read(self._storage(file.output), file.name, copy=copy)

    def put(self, file: File, source: Path) -> None:
        """Write an object from a file, replacing it if it exists. Raises UserError."""
        storage = self._storage(file.output)
        database = self._database(storage)
        with _storage_errors(storage):
            path = database.oid_to_path(file.name)
            database.makedirs(database.fs.parent(path))
            database.fs.put_file(str(source), path)

    def _storage(self, output: Output) -> str:
        name = self.name_for(output)
        if name is None:
            raise UserError(
                "no remote storage: none is the default. Name one with --remote NAME, or set one "
                "up (docs/remote.md)."
            )
        return name

    def _database(self, storage: str) -> Any:
        if storage not in self.databases:
            with _storage_errors(storage):
                self.databases[storage] = self.repo.cloud.get_remote_odb(storage, "verify")
        return self.databases[storage]

    def _read(self, storage: str, name: str, **options: Any) -> FileState:
        database = self._database(storage)
        with _storage_errors(storage):
            try:
                with database.fs.open(database.oid_to_path(name), "rb") as file:
                    return dvc_lock.hash_file(file, **options)
            except FileNotFoundError:
                return MISSING


@contextlib.contextmanager
def _storage_errors(storage: str) -> Iterator[None]:
    """Turn errors into UserErrors; each kind of storage raises its own library's exceptions."""
    try:
        yield
    except Exception as error:
        reason = f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise UserError(f"remote storage {storage}: {reason}") from error
