"""Sources with a manifest.csv: which file shows what, and where in the picture."""

import csv
import difflib
import io
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from trackbed.dataset.folders import Hints, Tree
from trackbed.dataset.schema import IGNORE, PARTS, Entry, Found, is_unlabelled, part_of
from trackbed.pictures.crop_boxes import Box
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import NO_LABEL
from trackbed.pipeline.errors import BadData, UserError

MANIFEST = "manifest.csv"
REQUIRED = ("filename", "label")
SIDES = ("left", "top", "right", "bottom")
SIZE = ("width", "height")
COLUMNS = (*REQUIRED, "part", "group", *SIDES, *SIZE)
# What `trackbed drift --label-first` writes beside the empty labels, for whoever fills them in.
PROPOSAL = ("proposal", "confidence", "novelty")
# As pandas writes whole numbers in a column with an empty cell, and spreadsheets in some lands.
WHOLE_NUMBER = re.compile(r"\s*\+?([0-9]{1,9})([.,]0?0?|\.0*)?\s*")
EXPONENT = re.compile(r"\s*\+?[0-9]{1,9}(\.[0-9]{1,9})?[eE]\+?[0-9]\s*")
NOTHING = {"", "nan", "none", "null", "na", "<na>"}


@dataclass(frozen=True)
class Row:
    """A row of the manifest; `line` is where it starts, as an editor counts, from 1."""

    line: int
    filename: str
    label: str
    part: str
    group: str
    box: Box | None
    size: tuple[int, int] | None  # of the picture that the box counts in


NO_HINTS = Hints()


def read(root: Path, tree: Tree, hints: Hints = NO_HINTS) -> Found:
    """The pictures that a manifest names; files of the folder that it does not name are ignored.

    Rows of a part that data.parts ignores count as not there. Raises UserError, with file, row and
    value, for everything that is not as it should be.
    """
    path = root / MANIFEST
    if MANIFEST in tree.irregular:
        raise BadData(f"{path}: not a regular file.")
    rows, has_groups = parsed(_text(path), path, hints.given)
    rows = _matched([row for row in rows if row.part != IGNORE], tree, path)
    _refuse_repetitions(rows, path)
    named = {row.filename for row in rows} | {MANIFEST}
    none = {label for label in {row.label for row in rows} if is_unlabelled(label)}
    none.difference_update(hints.classes)
    unlabelled = [row for row in rows if row.label in none]
    labelled = [row for row in rows if row.label not in none]
    labels = ", ".join(map(repr, sorted(none)))
    return Found(
        [_entry(row, root, tree) for row in labelled],
        {row.label for row in labelled},
        sorted(printable(name) for name in {*tree.files, *tree.ignored} - named),
        [(row.filename, NO_LABEL) for row in unlabelled],
        has_groups,
        [f"left out without a label: {labels} ({len(unlabelled):,} rows)"] if unlabelled else [],
    )


def pictures(path: Path, tree: Tree) -> list[Entry]:
    """The pictures that a manifest names, and their boxes; only the column filename is needed.

    tree: of the folder that the manifest lies in. Labels, parts, groups and unknown columns are not
    looked at, and a row may be there twice. Raises UserError as `read` does.
    """
    rows, _ = parsed(_text(path), path, None)
    return [_entry(row, path.parent, tree) for row in _matched(rows, tree, path)]


def _entry(row: Row, root: Path, tree: Tree) -> Entry:
    path = tree.path(root, row.filename)
    return Entry(row.filename, row.label, row.part, row.group, path, row.box, size=row.size)


def parsed(text: str, path: Path, parts: Mapping[str, str] | None) -> tuple[list[Row], bool]:
    """The rows of a manifest, and whether it has a column of groups.

    path: for messages. parts: what names in the column part mean, beside the usual ones; None
    where neither labels nor parts matter, nor unknown columns.
    """
    lines = _cells(text, path)
    _, header = next(lines, (1, []))
    _refuse_columns(header, path, parts is not None)
    rows, names = [], set()
    for line, cells in lines:
        where = f"{path}, row {line}"
        if len(cells) != len(header):
            raise BadData(f"{where}: {len(cells)} cells, the header has {len(header)}.")
        row = dict(zip(header, cells, strict=True))
        rows.append(_row(line, row, where, parts))
        names.add(row.get("part", ""))
    if not rows:
        raise BadData(f"{path}: no row below the header; every picture needs one.")
    if unknown := sorted(set(parts or {}) - names):
        there = ", ".join(sorted(names - {""})) or "none"
        raise UserError(
            f"params.yaml, data.parts: no row of {path} has the part {', '.join(unknown)}; its "
            f"parts are: {there}."
        )
    return rows, "group" in header


def _text(path: Path) -> str:
    try:
        # Spreadsheet programs write a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadData(f"{path}, row {line}: not UTF-8; save it as 'CSV UTF-8'.") from None
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror}).") from None


def _cells(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every row that is not empty; a quoted cell may span lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadData(f"{path}, row {line}: not valid CSV ({error}).") from None


def _refuse_columns(header: list[str], path: Path, labelled: bool) -> None:
    """Raise BadData for a wrong header; without labels for an unknown column that may be a typo."""
    required = REQUIRED if labelled else REQUIRED[:1]
    others = ", ".join(COLUMNS[len(required) :])
    expected = f"Columns are {', '.join(required)} and, if need be, {others}"
    if not header:
        raise BadData(f"{path}: empty. {expected}.")
    if len(header) == 1 and any(sign in header[0] for sign in ";\t"):
        raise BadData(f"{path}: cells are to be separated by commas, got {header[0]!r}.")
    for name in header:
        close = difflib.get_close_matches(name, COLUMNS, n=1)
        if name not in (*COLUMNS, *PROPOSAL) and (labelled or close):
            hint = f" Did you mean '{close[0]}'?" if close else f" {expected}."
            raise BadData(f"{path}: unknown column {name!r}.{hint}")
    missing = [name for name in required if name not in header]
    for names in (SIDES, SIZE):
        if set(names) & set(header):
            missing += [name for name in names if name not in header]
    if missing:
        raise BadData(f"{path}: column {', '.join(missing)} is missing. {expected}.")
    if len(set(header)) < len(header):
        raise BadData(f"{path}: a column is there twice: {', '.join(header)}.")


def _row(line: int, cells: dict[str, str], where: str, parts: Mapping[str, str] | None) -> Row:
    for name, value in cells.items():
        if has_bad_name(value):
            raise BadData(f"{where}, {name}: control characters, got {value!r}.")
    label, part = cells.get("label", ""), cells.get("part", "")
    if parts is not None:
        if not label:
            proposal = (
                f"; the model proposes {cells['proposal']!r}" if cells.get("proposal") else ""
            )
            raise BadData(f"{where}, label: empty; every picture needs a class{proposal}.")
        part = _part(part, where, parts)
    filename = _filename(cells["filename"], where)
    box, size = _box(cells, where), _numbers(cells, SIZE, where)
    if size and not all(size):
        raise BadData(f"{where}: width and height must be above 0, got {size[0]},{size[1]}.")
    if box and size and (box[2] > size[0] or box[3] > size[1]):
        corners, sides = ",".join(map(str, box)), f"{size[0]} x {size[1]}"
        raise BadData(f"{where}: box {corners} is not inside of {sides} pixels, its own size.")
    return Row(line, filename, label, part, cells.get("group", ""), box, size)


def _part(given: str, where: str, parts: Mapping[str, str]) -> str:
    usual, alone = part_of(given)
    if not given or given in parts or alone:
        return parts.get(given, usual)
    raise BadData(
        f"{where}, part: must be {', '.join(PARTS)} or empty, got {given!r}. data.parts says what "
        f"other names are, for example {{{given}: train}}."
    )


def _filename(value: str, where: str) -> str:
    where = f"{where}, filename"
    if "\\" in value:
        raise BadData(f"{where}: folders are separated by '/', got {value!r}.")
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", value):
        raise BadData(f"{where}: must lie in the folder of the manifest, got {value!r}.")
    if not path.parts:
        raise BadData(f"{where}: empty.")
    return str(path)


def _box(cells: dict[str, str], where: str) -> Box | None:
    box = _numbers(cells, SIDES, where)
    if box and (box[0] >= box[2] or box[1] >= box[3]):
        got = ",".join(map(str, box))
        raise BadData(f"{where}: left must be below right and top below bottom, got {got}.")
    return box


def _numbers(cells: dict[str, str], names: tuple[str, ...], where: str) -> tuple[int, ...] | None:
    """The whole numbers in some columns, None where all are empty."""
    values = [cells.get(name, "") for name in names]
    if all(value.strip().casefold() in NOTHING for value in values):
        return None
    numbers = tuple(whole_number(value) for value in values)
    if None in numbers:
        number = {2: "two", 4: "four"}[len(names)]
        raise BadData(
            f"{where}: {','.join(names)} must be {number} whole numbers or empty, "
            f"got {','.join(values)}."
        )
    return numbers


def whole_number(text: str) -> int | None:
    """The number in a cell, such as 12, 12.0, 12,0 or 1.2e1; None for anything else."""
    if found := WHOLE_NUMBER.fullmatch(text):
        return int(found[1])
    if EXPONENT.fullmatch(text) and float(text).is_integer():
        return int(float(text))
    return None


def _matched(rows: list[Row], tree: Tree, path: Path) -> list[Row]:
    """The rows with the names of their files as the folder has them.

    Programs and systems differ in how they write an umlaut, as one character (NFC) or two (NFD).
    Raises BadData for rows without a file, and where two files differ in this alone.
    """
    present = {*tree.files, *tree.ignored}
    if all(row.filename in present for row in rows):
        return rows
    forms: dict[str, list[str]] = {}
    for name in sorted(present):
        forms.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    found, missing = [], []
    for row in rows:
        names = forms.get(unicodedata.normalize("NFC", row.filename), [])
        if row.filename in present or len(names) == 1:
            name = row.filename if row.filename in present else names[0]
            found.append(replace(row, filename=name))
        elif names:
            raise BadData(
                f"{path}, row {row.line}, filename: {row.filename!a} could be "
                f"{' or '.join(map(ascii, names))}, which look the same. Rename one."
            )
        else:
            missing.append(row)
    if missing:
        examples = ", ".join(f"row {row.line} {row.filename!r}" for row in missing[:3])
        raise BadData(
            f"{path}: {len(missing)} of {len(rows)} rows name no file in {path.parent}: {examples}."
            f"{_similar_name(missing, present)}"
        )
    return found


def _similar_name(missing: list[Row], present: set[str]) -> str:
    """A sentence about a file whose name differs from that of a row in case or blanks alone."""

    def plain(name: str) -> str:
        return "".join(unicodedata.normalize("NFKC", name).casefold().split())

    names = {plain(name): name for name in sorted(present)}
    for row in missing:
        if name := names.get(plain(row.filename)):
            return (
                f" There is {name!a}, which differs from {row.filename!a} in case, blanks "
                "or kinds of characters."
            )
    return ""


def _refuse_repetitions(rows: list[Row], path: Path) -> None:
    first: dict[tuple[str, Box | None], Row] = {}
    for row in rows:
        other = first.setdefault((row.filename, row.box), row)
        if other is row:
            continue
        if other.label != row.label:
            raise BadData(
                f"{path}, row {row.line}: {row.filename!r} is labelled {row.label!r} here and "
                f"{other.label!r} in row {other.line}."
            )
        raise BadData(f"{path}, row {row.line}: {row.filename!r} again, as in row {other.line}.")


def text(entries: Iterable[Entry], prefix: str, path: Path) -> str:
    """All columns, one row per entry in their order, one line feed per row.

    `prefix` leads from the manifest's folder to that of the entries, with forward slashes; `path`
    is the manifest's, for messages. Raises UserError for a file that a manifest cannot name.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        name = posixpath.normpath(posixpath.join(prefix, entry.filename))
        refuse_name(name, path)
        box, size = entry.box or ("",) * 4, entry.size or ("",) * 2
        writer.writerow((name, entry.class_name, entry.part, entry.group, *box, *size))
    return lines.getvalue()


def refuse_name(name: str, path: Path) -> None:
    """Raise UserError for a name, relative to a manifest's folder, that it cannot hold."""
    if name.startswith("../"):
        raise UserError(
            f"{path}: must lie in a folder above all pictures, {printable(name)!r} is not below it."
        )
    if has_bad_name(name) or "\\" in name:
        raise UserError(
            f"{path}: cannot name '{printable(name)}'. Rename what has a backslash, control "
            "characters or other bytes than UTF-8 in its name."
        )
