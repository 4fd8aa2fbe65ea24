"""Write outputs under a temporary name and move them into place when they are whole."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

# What a spreadsheet takes for a formula and can do more than show an error: call a function (a
# parenthesis), another program (a bar) or another file (an exclamation mark). So '-1', '+5.png',
# '@home' and '=' may be names. A semicolon ends a cell in many countries; the last four signs are
# the wide forms of the first (https://owasp.org/www-community/attacks/CSV_Injection).
FORMULA = re.compile(r"(?:^|;)[\s'\"]*[=+@\-\uff1d\uff0b\uff20\uff0d].*[(|!\uff08]", re.DOTALL)

FOLDER_NOT_FILE = "a folder; name a file."
EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)  # that a zip archive can hold


TEMPORARY_SUFFIX = ".partial"


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(TEMPORARY_SUFFIX)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    It is on the disk by then, so that a crash of the machine leaves the old file or the new one
    whole. Of a folder it leaves the old one, the new one, or none. What lies in another temporary
    folder comes to the disk with that. Raises UserError, and leaves
    everything as it is, where a file would take the place of a folder, or of a device or pipe.
    """
    if not path.name:
        raise UserError(f"{path}: {FOLDER_NOT_FILE}")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: a device or pipe; name a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")
    _remove(temporary)
    try:
        yield temporary
        within = any(map(_is_temporary, path.parents))
        if not within:
            _sync(temporary)
        if path.is_dir():
            if not temporary.is_dir():
                raise UserError(f"{path}: {FOLDER_NOT_FILE}")
            _remove(path)
        operating_system.move(temporary, path)
        if not within:
            operating_system.flush(path.parent)
    finally:
        _remove(temporary)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Like `replacing`, for a folder that exists, empty, at the start of the block."""
    with replacing(path) as temporary:
        temporary.mkdir()
        yield temporary


def refuse_places(
    files: Mapping[str, Path | None], inputs: Iterable[str] = (), outside: Path | None = None
) -> None:
    """Raise UserError where a file, given by its option, cannot be written without a loss.

    It is a folder, one of the inputs, another output, or lies in the folder `outside`. To be called
    before work that takes long.
    """
    taken = {os.path.realpath(path): path for path in inputs}
    for option, path in files.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if os.path.isdir(real):
            raise UserError(f"{option} {path}: {FOLDER_NOT_FILE}")
        if real in taken:
            raise UserError(f"{option} {path}: is also {taken[real]}.")
        if outside and Path(real).is_relative_to(outside.resolve()):
            raise UserError(f"{option} {path}: must lie outside of {outside}.")
        taken[real] = option


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write valid JSON with indentation; a number that is not finite becomes null."""
    with replacing(path) as temporary:
        text = json.dumps(_finite(values), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name for numpy.load; equal arrays give equal bytes.

    numpy.savez writes the time into the file.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[name]))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EARLIEST_DATE), content.getvalue())


def write_csv(path: Path, table: pd.DataFrame, float_format: str | None = None) -> None:
    """Write a table without its row index, UTF-8, one line feed per row.

    Raises UserError for text that a spreadsheet would run as a formula.
    """
    _refuse_formulas(path, table)
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format=float_format)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet that opens a table with this cell would run it."""
    return FORMULA.search(text) is not None


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """A picture as the bytes of a JPEG file.

    Pillow writing to a file of its own takes no notice when a full disk takes a part of them.
    """
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def data_uri(content: bytes, kind: str = "jpeg") -> str:
    """An image file as an address that holds it whole; kind: 'jpeg', 'png' or 'webp'."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def allocate(file: IO[bytes], size: int) -> None:
    """Have the disk hold `size` bytes for an open file. Raises OSError where it has no room."""
    if hasattr(os, "posix_fallocate"):  # not on macOS and Windows
        os.posix_fallocate(file.fileno(), 0, size)


def _refuse_formulas(path: Path, table: pd.DataFrame) -> None:
    # Text is not changed instead: names must come back as they are.
    for number, column in enumerate(table.columns):
        texts = table.iloc[:, number]
        if texts.dtype.kind in "biuf":
            texts = texts.iloc[:0]
        for text in (str(column), *texts.astype(str).unique()):
            if is_formula(text):
                raise UserError(
                    f"{path}, column {str(column)!r}: a spreadsheet would run {text!r} as a "
                    "formula. Rename the file, class or group."
                )


def _sync(path: Path) -> None:
    """Have the disk hold a file, or a folder with all that lies in it."""
    for inner in path.rglob("*"):
        operating_system.flush(inner)
    operating_system.flush(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        try:
            operating_system.remove_folder(path)
        except PermissionError as error:
            if operating_system.IS_POSIX:
                raise
            raise UserError(operating_system.HELD.format(path=error.filename)) from None
    else:
        path.unlink(missing_ok=True)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
