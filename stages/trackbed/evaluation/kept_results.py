"""Results that do not depend on the trained head, kept below .cache/ for the next runs."""

import hashlib
import os
import platform
import sys
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import numpy as np

from trackbed.pipeline.outputs import replacing

CACHE = Path(".cache/evaluation")
MOST = 40  # results of one name; the one that was used longest ago goes first
PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "pillow", "opencv-python-headless")

Arrays = dict[str, np.ndarray]


def kept(name: str, inputs: Iterable[bytes], compute: Callable[[], Arrays]) -> Arrays:
    """What `compute` returns, or returned in an earlier run.

    inputs: all that it reads, as bytes. A result is used again only for the same inputs, the same
    code of this package and the same versions of Python and the libraries. A file that cannot be
    read is computed again, and one that cannot be written is done without.
    """
    path = CACHE / f"{name}-{_key(inputs)}.npz"
    with suppress(OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile):
        with np.load(path, allow_pickle=False) as file:
            found = dict(file)
        os.utime(path)
        return found
    computed = compute()
    with suppress(OSError):
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **computed)
        _remove_oldest(name)
    return computed


def _key(inputs: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in (*_code(), *inputs):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:32]


def _code() -> Iterable[bytes]:
    yield f"{sys.version} {platform.platform()}".encode()
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            yield f"{name} {metadata.version(name)}".encode()
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.read_bytes()


def _remove_oldest(name: str) -> None:
    by_use = sorted(CACHE.glob(f"{name}-*.npz"), key=lambda path: path.stat().st_mtime)
    for path in by_use[:-MOST]:
        path.unlink(missing_ok=True)
