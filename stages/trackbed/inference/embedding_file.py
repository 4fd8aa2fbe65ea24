"""Embeddings of any number of pictures in a file, which never lie in memory all at once."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import EARLIEST_DATE, replacing

MATRIX, NAMED = ".npy", ".npz"


class EmbeddingRows:
    """Rows of a float32 matrix, written one after another as numpy.save would write it whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._units = 0
        self.names: list[str] = []
        self._write_header()

    def add(self, name: str, embedding: np.ndarray) -> None:
        """Append the embedding of a picture: float32, shape (units,)."""
        if not self.names:
            self._units = len(embedding)
            self._write_header()
        self.names.append(name)
        self._file.write(np.ascontiguousarray(embedding, np.float32).tobytes())

    def finish(self) -> None:
        """Write the number of rows."""
        self._write_header()

    def _write_header(self) -> None:
        """NumPy leaves room for any number of rows, so that the header does not grow."""
        shape = (len(self.names), self._units)
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(
            self._file, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )


def refuse_ending(path: Path) -> None:
    """Raise UserError unless the name of a file ends in .npy or .npz."""
    if path.suffix not in (MATRIX, NAMED):
        raise UserError(f"--embeddings {path}: must end in {MATRIX} or {NAMED}.")


@contextmanager
def opened(path: Path) -> Iterator[EmbeddingRows]:
    """Rows for a file that takes its place when the block ends without an error.

    A .npy file holds the matrix, a .npz file the arrays `embeddings` and `files`.
    Raises UserError for another ending, and where it cannot be written.
    """
    refuse_ending(path)
    place = Path(os.path.realpath(path))
    with ExitStack() as stack:
        try:
            temporary = stack.enter_context(replacing(place))
            if path.suffix == MATRIX:
                file = stack.enter_context(temporary.open("w+b"))
            else:
                file = stack.enter_context(tempfile.TemporaryFile(dir=place.parent))
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
        rows = EmbeddingRows(file)
        yield rows
        rows.finish()
        if path.suffix == NAMED:
            _write_named(temporary, file, rows.names)


def _write_named(path: Path, matrix: IO[bytes], names: list[str]) -> None:
    matrix.seek(0)
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(_member("embeddings"), "w", force_zip64=True) as member:
            shutil.copyfileobj(matrix, member)
        with archive.open(_member("files"), "w", force_zip64=True) as member:
            np.lib.format.write_array(member, np.array(names, dtype=np.str_))


def _member(name: str) -> zipfile.ZipInfo:
    """A member without the time of writing."""
    return zipfile.ZipInfo(f"{name}.npy", EARLIEST_DATE)
