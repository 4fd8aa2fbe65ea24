"""The German Traffic Sign Recognition Benchmark (benchmark.ini.rub.de) in its official folders."""

import csv
import io
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from trackbed.dataset.folders import Tree
from trackbed.dataset.manifest_csv import whole_number
from trackbed.dataset.schema import Entry, Found
from trackbed.pictures.crop_boxes import Box
from trackbed.pictures.file_names import printable
from trackbed.pipeline.errors import UserError

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
    size: tuple[int, int]  # width and height of the picture that the box counts in


def parsed(text: str, where: str) -> list[Annotation]:
    """The rows of a csv file in their order; `where` names it in messages. Raises UserError."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    rows: dict[str, Annotation] = {}
    try:
        header = next(reader, [])
        _refuse_columns(header, where)
        for cells in filter(None, reader):
            row = _annotation(header, cells, reader.line_num, where)
            if (other := rows.setdefault(row.filename, row)) is not row:
                again = f"{row.filename!r} again, as in row {other.line}"
                raise UserError(f"{where}, row {row.line}: {again}.")
    except csv.Error as error:
        raise UserError(f"{where}, row {reader.line_num}: not valid CSV ({error}).") from None
    if not rows:
        raise UserError(f"{where}: no row below the header.")
    return list(rows.values())


def _refuse_columns(header: list[str], where: str) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if not missing:
        return
    if len(header) == 1 and "," in header[0]:
        raise UserError(f"{where}: cells are to be separated by semicolons, got {header[0]!r}.")
    raise UserError(
        f"{where}: column {', '.join(missing)} is missing; there is {', '.join(header) or 'none'}."
    )


def _annotation(header: list[str], cells: list[str], line: int, where: str) -> Annotation:
    where = f"{where}, row {line}"
    if len(cells) != len(header):
        raise UserError(f"{where}: {len(cells)} cells, the header has {len(header)}.")
    values = dict(zip(header, cells, strict=True))
    if not values["Filename"] or "/" in values["Filename"] or "\\" in values["Filename"]:
        got = repr(values["Filename"])
        raise UserError(f"{where}, Filename: must be a file name without folder, got {got}.")
    width, height, *box, class_id = (_integer(values[name], name, where) for name in NUMBERS)
    if not 0 <= class_id < CLASSES:
        raise UserError(f"{where}, ClassId: must be from 0 to {CLASSES - 1}, got {class_id}.")
    left, top, right, bottom = box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        corners = f"{left},{top} to {right},{bottom}"
        raise UserError(f"{where}: no box within {width} x {height} pixels, got {corners}.")
    box = (left, top, right, bottom)
    return Annotation(line, values["Filename"], class_id, box, (width, height))


def _integer(value: str, name: str, where: str) -> int:
    number = whole_number(value.strip().removeprefix("-"))
    if number is None:
        raise UserError(f"{where}, {name}: must be a whole number, got {value!r}.")
    return -number if value.strip().startswith("-") else number


TRAINING_FILE = re.compile(r"GT-[0-9]{5}\.csv")
TEST_FILE = "GT-final_test.csv"
TEST_FILE_WITHOUT_CLASSES = "GT-final_test.test.csv"
TEST_FOLDER = "Final_Test/Images"
FRAME_NAME = re.compile(r"([0-9]+)_[0-9]+\.[A-Za-z]+")


def read(root: Path, tree: Tree) -> Found:
    """The annotated pictures below a folder, sorted by file name; others are ignored.

    Class names are '00' to '42', groups '<class>/<track>', empty for test pictures. Without
    a test part the part is empty. Raises UserError for everything that is not as it should be.
    """
    training = [name for name in tree.files if TRAINING_FILE.fullmatch(posixpath.basename(name))]
    test = [name for name in tree.files if posixpath.basename(name) == TEST_FILE]
    _refuse_incomplete(root, tree, training, test)
    _refuse_copies(root, training)
    files, part = set(tree.files), "train" if test else ""
    entries = []
    for name in training:
        entries += _training(root, tree, files, name, part)
    if test:
        entries += _test(root, tree, files, test)
    named = {entry.filename for entry in entries}
    return Found(
        sorted(entries, key=lambda entry: entry.filename),
        {entry.class_name for entry in entries},
        [printable(n) for n in tree.files if n.casefold().endswith(".ppm") and n not in named],
        has_groups=True,
    )


def _training(root: Path, tree: Tree, files: set[str], name: str, part: str) -> list[Entry]:
    path, folder = root / name, posixpath.dirname(name)
    rows = _annotations(path, name, tree)
    _refuse_missing(rows, root, folder, files, path)
    return [_frame(row, root, folder, part, path) for row in rows]


def _frame(row: Annotation, root: Path, folder: str, part: str, path: Path) -> Entry:
    """The entry of a training picture. Raises UserError if name or class contradict the layout."""
    where = f"{path}, row {row.line}"
    match = FRAME_NAME.fullmatch(row.filename)
    if match is None:
        raise UserError(f"{where}, Filename: must be <track>_<frame>.ppm, got {row.filename!r}.")
    own = path.parent.name
    if re.fullmatch("[0-9]+", own) and int(own) != row.class_id:
        raise UserError(f"{where}, ClassId: is {row.class_id}, but the folder is {own}.")
    return _entry(row, root, folder, part, f"{row.class_id:02d}/{match[1]}")


def _test(root: Path, tree: Tree, files: set[str], names: list[str]) -> list[Entry]:
    tables = {name: _annotations(root / name, name, tree) for name in names}
    name, rows = next(iter(tables.items()))
    for other in names[1:]:
        if tables[other] != rows:
            raise UserError(f"{root}: {name} and {other} differ. Keep the official one.")
    folder = _test_folder(root, tree, files, tables)
    _refuse_missing(rows, root, folder, files, root / name)
    return [_entry(row, root, folder, "test", "") for row in rows]


def _test_folder(
    root: Path, tree: Tree, files: set[str], tables: dict[str, list[Annotation]]
) -> str:
    """Where the test pictures lie: beside their csv file, or in Final_Test/Images."""
    for name, rows in tables.items():
        folder = posixpath.dirname(name)
        if any(posixpath.join(folder, row.filename) in files for row in rows):
            return folder
    official = [name for name in tree.folders if f"/{name}".endswith(f"/{TEST_FOLDER}")]
    if len(official) != 1:
        places = (
            f"but in {' and '.join(official)}" if official else f"and there is no {TEST_FOLDER}"
        )
        raise UserError(
            f"{root / next(iter(tables))}: the test pictures do not lie beside it, {places}. "
            "Put it beside them."
        )
    return official[0]


def _entry(row: Annotation, root: Path, folder: str, part: str, group: str) -> Entry:
    filename = posixpath.join(folder, row.filename)
    name = f"{row.class_id:02d}"
    return Entry(filename, name, part, group, root / filename, row.box, size=row.size)


def _annotations(path: Path, name: str, tree: Tree) -> list[Annotation]:
    if name in tree.irregular:
        raise UserError(f"{path}: not a regular file.")
    try:
        return parsed(path.read_bytes().decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8.") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None


def _refuse_missing(
    rows: list[Annotation], root: Path, folder: str, files: set[str], path: Path
) -> None:
    missing = [row for row in rows if posixpath.join(folder, row.filename) not in files]
    if missing:
        examples = ", ".join(f"row {row.line} {row.filename!r}" for row in missing[:3])
        count = f"{len(missing):,} of {len(rows):,} rows"
        raise UserError(f"{path}: {count} name no file in {root / folder}: {examples}.")


def _refuse_incomplete(root: Path, tree: Tree, training: list[str], test: list[str]) -> None:
    blind = [n for n in tree.files if posixpath.basename(n) == TEST_FILE_WITHOUT_CLASSES]
    if blind and not test:
        raise UserError(
            f"{root / blind[0]}: has no ClassId. Put {TEST_FILE} beside it, which "
            "comes in GTSRB_Final_Test_GT.zip, or name the folder of the training pictures alone."
        )
    if not training and not test:
        raise UserError(
            f"{root}: no GT-*.csv in it. Name a folder above the official ones, such as the one "
            "that holds GTSRB/Final_Training/Images/00000/GT-00000.csv."
        )
    if not training:
        raise UserError(f"{root}: test pictures alone; there is {test[0]} but no GT-00000.csv.")


def _refuse_copies(root: Path, training: list[str]) -> None:
    first: dict[str, str] = {}
    for name in training:
        other = first.setdefault(posixpath.basename(name), name)
        if other is not name:
            raise UserError(
                f"{root}: {other} and {name} annotate one class; pictures could stand there twice. "
                "Name a folder that holds one of them."
            )
