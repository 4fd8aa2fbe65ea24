"""Files hashed in threads, wherever they lie, each once."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20  # bytes; hashlib lets other threads run meanwhile
THREADS = min(8, 2 * (os.cpu_count() or 1))

Told = Callable[[int], None]
"""Is told of every so many bytes that were read."""


@dataclass(frozen=True)
class Seen:
    """What lies at a place."""

    md5: str | None = None  # None: it could not be read, or nothing is there
    size: int = 0  # bytes
    error: str = ""  # why it could not be read; empty: nothing is there


MISSING = Seen()


@dataclass
class Hasher:
    """Hashes local files, those with several names (hard links) once."""

    told: Told = lambda _: None
    known: dict[tuple[int, int], Seen] = field(default_factory=dict)  # by device and inode

    def files(self, paths: Sequence[str]) -> dict[str, Seen]:
        """What lies at each path."""
        places = {path: _inode(path) for path in paths}
        fresh = {place: path for path, place in places.items() if place not in self.known}
        fresh.pop(None, None)
        found = in_threads(self._one, list(fresh.values()))
        self.known |= dict(zip(fresh, found, strict=True))
        return {
            path: self.known[place] if place else self._one(path) for path, place in places.items()
        }

    def _one(self, path: str) -> Seen:
        try:
            with Path(path).open("rb") as file:
                return read(file, self.told)
        except FileNotFoundError:
            return MISSING
        except OSError as error:
            return Seen(error=error.strerror or f"{error}")


def in_threads(work: Callable[[str], Seen], paths: Sequence[str]) -> Iterator[Seen]:
    """What `work` says of each path, in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(work, paths)


def read(file: BinaryIO, told: Told = lambda _: None, copy: BinaryIO | None = None) -> Seen:
    """Hash and length of what is left of an open file, which is copied on the way if wanted."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy is not None:
            copy.write(chunk)
        told(len(chunk))
    return Seen(digest.hexdigest(), size)


def of_bytes(content: bytes) -> Seen:
    """Hash and length of bytes in memory."""
    return Seen(hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content))


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
