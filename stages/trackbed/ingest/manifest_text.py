"""The text of a manifest.csv, as trackbed.ingest.manifest reads it."""

import csv
import io
import posixpath
from collections.abc import Iterable
from pathlib import Path

from trackbed.ingest.entries import Entry, has_bad_name, shown
from trackbed.ingest.manifest import COLUMNS
from trackbed.problems import Problem


def text(entries: Iterable[Entry], prefix: str, path: Path) -> str:
    """All columns, one row per entry in their order, one line feed per row.

    `prefix` leads from the manifest's folder to that of the entries, with forward slashes; `path`
    is the manifest's, for messages. Raises Problem for a file that a manifest cannot name.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        name = posixpath.normpath(posixpath.join(prefix, entry.filename))
        _refuse(name, path)
        box = entry.box or ("",) * 4
        writer.writerow((name, entry.class_name, entry.part, entry.group, *box))
    return lines.getvalue()


def _refuse(name: str, path: Path) -> None:
    if name.startswith("../"):
        raise Problem(
            f"{path}: must lie in a folder above all pictures, {shown(name)!r} is not below it."
        )
    if has_bad_name(name) or "\\" in name:
        raise Problem(
            f"{path}: cannot name '{shown(name)}'. Rename what has a backslash, control characters "
            "or other bytes than UTF-8 in its name."
        )
