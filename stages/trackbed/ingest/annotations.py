"""Annotations of traffic signs: the csv files of GTSRB, one row per picture.

They are separated by semicolons. Boxes count in pixels from 0, and Roi.X2 and Roi.Y2 are the
first column and row outside: the benchmark's Readme promises a border of at least 5 pixels around
the sign, and Width - Roi.X2 is 5 in the smallest pictures, as is Roi.X1. Were they inside, the
right and lower borders would be 4 pixels wide.
"""

import csv
import io
import re
from dataclasses import dataclass

from trackbed.ingest.entries import Box
from trackbed.problems import Problem

NUMBERS = ("Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId")
COLUMNS = ("Filename", *NUMBERS)
CLASSES = 43


@dataclass(frozen=True)
class Annotation:
    """A row: `line` is where it stands, as an editor counts, from 1."""

    line: int
    filename: str
    class_id: int  # 0 .. 42
    box: Box


def parsed(text: str, where: str) -> list[Annotation]:
    """The rows of a csv file in their order; `where` names it in messages. Raises Problem."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    rows: dict[str, Annotation] = {}
    try:
        header = next(reader, [])
        _refuse_columns(header, where)
        for cells in filter(None, reader):
            row = _annotation(header, cells, reader.line_num, where)
            if (other := rows.setdefault(row.filename, row)) is not row:
                again = f"{row.filename!r} again, as in row {other.line}"
                raise Problem(f"{where}, row {row.line}: {again}.")
    except csv.Error as error:
        raise Problem(f"{where}, row {reader.line_num}: not valid CSV ({error}).") from None
    if not rows:
        raise Problem(f"{where}: no row below the header.")
    return list(rows.values())


def _refuse_columns(header: list[str], where: str) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if not missing:
        return
    if len(header) == 1 and "," in header[0]:
        raise Problem(f"{where}: cells are to be separated by semicolons, got {header[0]!r}.")
    raise Problem(
        f"{where}: column {', '.join(missing)} is missing; there is {', '.join(header) or 'none'}."
    )


def _annotation(header: list[str], cells: list[str], line: int, where: str) -> Annotation:
    where = f"{where}, row {line}"
    if len(cells) != len(header):
        raise Problem(f"{where}: {len(cells)} cells, the header has {len(header)}.")
    values = dict(zip(header, cells, strict=True))
    if not values["Filename"] or "/" in values["Filename"] or "\\" in values["Filename"]:
        got = repr(values["Filename"])
        raise Problem(f"{where}, Filename: must be a file name without folder, got {got}.")
    width, height, *box, class_id = (_integer(values[name], name, where) for name in NUMBERS)
    if not 0 <= class_id < CLASSES:
        raise Problem(f"{where}, ClassId: must be from 0 to {CLASSES - 1}, got {class_id}.")
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        corners = f"{left},{top} to {right},{bottom}"
        raise Problem(f"{where}: no box within {width} x {height} pixels, got {corners}.")
    return Annotation(line, values["Filename"], class_id, (left, top, right, bottom))


def _integer(value: str, name: str, where: str) -> int:
    if not re.fullmatch("-?[0-9]{1,9}", value):
        raise Problem(f"{where}, {name}: must be a whole number, got {value!r}.")
    return int(value)
