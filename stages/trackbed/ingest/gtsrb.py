"""The German Traffic Sign Recognition Benchmark (benchmark.ini.rub.de) in its official folders.

Training pictures lie in a folder per class beside GT-00000.csv and the like and are called
<track>_<frame>.ppm: the frames of a track show one physical sign. Test pictures lie in
Final_Test/Images; which of them show the same sign was never published. Their classes are in
GT-final_test.csv, which comes in an archive of its own, so that it may lie anywhere.
"""

import posixpath
import re
from pathlib import Path

from trackbed.ingest.annotations import Annotation, parsed
from trackbed.ingest.entries import Entry, Found, shown
from trackbed.ingest.folders import Tree
from trackbed.problems import Problem

TRAINING = re.compile(r"GT-[0-9]{5}\.csv")
TEST = "GT-final_test.csv"
TEST_WITHOUT_CLASSES = "GT-final_test.test.csv"
TEST_FOLDER = "Final_Test/Images"
FRAME = re.compile(r"([0-9]+)_[0-9]+\.[A-Za-z]+")


def read(root: Path, tree: Tree) -> Found:
    """The annotated pictures below a folder, sorted by file name; others are ignored.

    Class names are '00' to '42', groups '<class>/<track>', empty for test pictures. Without
    a test part the part is empty. Raises Problem for everything that is not as it should be.
    """
    training = [name for name in tree.files if TRAINING.fullmatch(posixpath.basename(name))]
    test = [name for name in tree.files if posixpath.basename(name) == TEST]
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
        [shown(n) for n in tree.files if n.casefold().endswith(".ppm") and n not in named],
        has_groups=True,
    )


def _training(root: Path, tree: Tree, files: set[str], name: str, part: str) -> list[Entry]:
    path, folder = root / name, posixpath.dirname(name)
    rows = _annotations(path, name, tree)
    _refuse_missing(rows, root, folder, files, path)
    return [_frame(row, root, folder, part, path) for row in rows]


def _frame(row: Annotation, root: Path, folder: str, part: str, path: Path) -> Entry:
    """The entry of a training picture. Raises Problem if name or class contradict the layout."""
    where = f"{path}, row {row.line}"
    match = FRAME.fullmatch(row.filename)
    if match is None:
        raise Problem(f"{where}, Filename: must be <track>_<frame>.ppm, got {row.filename!r}.")
    own = path.parent.name
    if re.fullmatch("[0-9]+", own) and int(own) != row.class_id:
        raise Problem(f"{where}, ClassId: is {row.class_id}, but the folder is {own}.")
    return _entry(row, root, folder, part, f"{row.class_id:02d}/{match[1]}")


def _test(root: Path, tree: Tree, files: set[str], names: list[str]) -> list[Entry]:
    tables = {name: _annotations(root / name, name, tree) for name in names}
    name, rows = next(iter(tables.items()))
    for other in names[1:]:
        if tables[other] != rows:
            raise Problem(f"{root}: {name} and {other} differ. Keep the official one.")
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
        lying = f"but in {' and '.join(official)}" if official else f"and there is no {TEST_FOLDER}"
        raise Problem(
            f"{root / next(iter(tables))}: the test pictures do not lie beside it, {lying}. Put it "
            "beside them."
        )
    return official[0]


def _entry(row: Annotation, root: Path, folder: str, part: str, group: str) -> Entry:
    filename = posixpath.join(folder, row.filename)
    return Entry(filename, f"{row.class_id:02d}", part, group, root / filename, row.box)


def _annotations(path: Path, name: str, tree: Tree) -> list[Annotation]:
    if name in tree.irregular:
        raise Problem(f"{path}: not a regular file.")
    try:
        return parsed(path.read_bytes().decode("utf-8-sig"), str(path))
    except UnicodeDecodeError:
        raise Problem(f"{path}: not UTF-8.") from None
    except OSError as error:
        raise Problem(f"{path}: cannot be read ({error.strerror}).") from None


def _refuse_missing(
    rows: list[Annotation], root: Path, folder: str, files: set[str], path: Path
) -> None:
    missing = [row for row in rows if posixpath.join(folder, row.filename) not in files]
    if missing:
        examples = ", ".join(f"row {row.line} {row.filename!r}" for row in missing[:3])
        count = f"{len(missing):,} of {len(rows):,} rows"
        raise Problem(f"{path}: {count} name no file in {root / folder}: {examples}.")


def _refuse_incomplete(root: Path, tree: Tree, training: list[str], test: list[str]) -> None:
    blind = [n for n in tree.files if posixpath.basename(n) == TEST_WITHOUT_CLASSES]
    if blind and not test:
        raise Problem(
            f"{root / blind[0]}: has no ClassId and is not usable. Put {TEST} beside it, which "
            "comes in GTSRB_Final_Test_GT.zip, or name the folder of the training pictures alone."
        )
    if not training and not test:
        raise Problem(
            f"{root}: no GT-*.csv in it. Name a folder above the official ones, such as the one "
            "that holds GTSRB/Final_Training/Images/00000/GT-00000.csv."
        )
    if not training:
        raise Problem(f"{root}: test pictures alone; there is {test[0]} but no GT-00000.csv.")


def _refuse_copies(root: Path, training: list[str]) -> None:
    first: dict[str, str] = {}
    for name in training:
        other = first.setdefault(posixpath.basename(name), name)
        if other is not name:
            raise Problem(
                f"{root}: {other} and {name} annotate one class; pictures could stand there twice. "
                "Name a folder that holds one of them."
            )
