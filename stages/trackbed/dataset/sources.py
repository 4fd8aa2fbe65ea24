"""What a source folder holds: its pictures with class, part and group, before they are opened."""

import dataclasses
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trackbed.dataset import folders, layouts, manifest_csv, rails
from trackbed.dataset.folders import Hints, Tree
from trackbed.dataset.groups import FOLDER, Grouping, named_groups
from trackbed.dataset.schema import TEST, VALIDATION, Entry, Found, Listing, is_document
from trackbed.pictures.file_names import printable
from trackbed.pipeline import outputs
from trackbed.pipeline.errors import BadData, UserError

LONGEST_CLASS_NAME = 100  # characters; a column of a report shows no more
DETECTION_FOLDERS = {"images", "labels"}  # of the YOLO formats
# Invisible, but part of Persian words and of emoji.
JOINERS = {"\u200c", "\u200d"}
CLASS_NAME = (
    f"1 to {LONGEST_CLASS_NAME} printable characters, no slash, no blank but the common one, "
    "and none at either end"
)


def class_name_fault(name: str) -> str | None:
    """What is wrong with the name of a class, or None."""
    if not name or name != name.strip():
        return "a blank at its beginning or end" if name else "empty"
    if len(name) > LONGEST_CLASS_NAME:
        return f"{len(name)} characters"
    if "/" in name:
        return "a slash"
    for character in name:
        # Nothing that is printable changes the direction or the lines of a text.
        if not character.isprintable() and character not in JOINERS:
            code = ord(character)
            # Python keeps a byte that is no UTF-8 as a surrogate.
            if 0xDC80 <= code <= 0xDCFF:
                return f"not UTF-8, byte {code - 0xDC00:02X}"
            return f"the character U+{code:04X}"
    return "a formula that a spreadsheet would run" if outputs.is_formula(name) else None


def _bad_class_names(names: Iterable[str], folder: Path) -> Iterator[UserError]:
    """An error for each of the names that does not match the pattern."""
    for name in names:
        if wrong := class_name_fault(name):
            yield BadData(
                f"{folder}: the class {_fault_message(name)} has an unusable name: {wrong}. "
                f"A class name has {CLASS_NAME}. Rename it."
            )


def _fault_message(name: str) -> str:
    """A name that is safe on a terminal and not too long."""
    return repr(
        "".join(
            c if c.isprintable() else ascii(c)[1:-1] for c in printable(name[:LONGEST_CLASS_NAME])
        )
    )


def scan(
    folder: Path,
    classes: list[str] | None,
    grouping: Grouping,
    parts: Mapping[str, str] | None = None,
) -> Listing:
    """List a source of class folders, with a manifest.csv, or of TFRecord files.

    `classes` fixes the classes and their order; None means all that are found, sorted. `parts`: see
    folders.Hints. No picture is opened. The result does not depend on the order of the file system.
    Raises UserError, with a line for each problem, for whatever makes the source unusable.
    """
    listing, problems = listing_and_problems(folder, classes, grouping, parts)
    if len(problems) > 1:
        raise BadData("\n".join(map(str, problems)))
    if problems:
        raise problems[0]
    return listing


def listing_and_problems(
    folder: Path,
    classes: list[str] | None,
    grouping: Grouping,
    parts: Mapping[str, str] | None = None,
) -> tuple[Listing, list[UserError]]:
    """The listing of `scan`, and everything that makes the source unusable.

    Raises UserError where the layout itself is unclear, so that there is nothing to list.
    """
    hints = Hints(classes or (), parts, grouping.pattern == FOLDER)
    found = _read(folder, folders.walk(folder), hints)
    names = sorted_classes(found.classes) if classes is None else list(classes)
    problems = list(_class_problems(found, names, classes, folder))
    try:
        entries = named_groups(found, grouping)
    except UserError as error:
        problems.append(error)
        entries = [dataclasses.replace(entry, group=entry.filename) for entry in found.entries]
    entries = sorted(entries, key=lambda e: (e.filename, e.box or ()))
    listing = Listing(entries, names, sorted(found.ignored), sorted(found.strays), found.notes)
    return listing, [*problems, *_formulas(listing, folder)]


def sorted_classes(names: Iterable[str]) -> list[str]:
    """Class names in order: as text, or as numbers where all are whole numbers."""
    names = sorted(names)
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=int) if numbers else names


def _read(folder: Path, tree: Tree, hints: Hints) -> Found:
    """Read the layout that lies there. Raises UserError if there are two."""
    shards = rails.files(tree)
    others = [name for name in tree.files if name not in shards and not is_document(name)]
    nested = [name for name in others if "/" in name]
    candidates = {
        "a manifest (manifest.csv)": manifest_csv.MANIFEST in tree.files,
        f"TFRecord files ({', '.join(map(printable, shards[:1]))})": bool(shards),
        f"class folders ({', '.join(map(printable, nested[:1]))})": bool(shards and nested),
    }
    present = [layout for layout, there in candidates.items() if there]
    if len(present) > 1:
        raise BadData(
            f"{folder}: ambiguous; there are {' and '.join(present)}. Keep one kind in data.source."
        )
    if shards:
        return rails.read(folder, tree, hints)
    read = manifest_csv.read if present else layouts.read
    return read(folder, tree, hints)


def _class_problems(
    found: Found, names: list[str], wanted: list[str] | None, folder: Path
) -> Iterator[UserError]:
    yield from _bad_class_names(sorted(found.classes), folder)
    if wanted is not None:
        yield from _other_classes(found, wanted, folder)
    if {name.lower() for name in names} == DETECTION_FOLDERS:
        yield BadData(
            f"{folder}: images/ and labels/ are an export for object detection, whose boxes are no "
            "classes. Name every box with its class in a manifest.csv (left, top, right, bottom)."
        )
    if len(names) < 2:
        yield BadData(
            f"{folder}: {f'a single class, {printable(names[0])}' if names else 'no class'}; a "
            "classifier needs two or more. data.source is the folder that holds the class folders, "
            "a manifest.csv or TFRecord files."
        )
    usable = [name for name in names if not class_name_fault(name)]
    yield from _twins(usable, folder)
    yield from _without_pictures(found.entries, usable, folder)


def _formulas(listing: Listing, folder: Path) -> Iterator[UserError]:
    """Find before any work what would keep the tables from being written."""
    names = {name for entry in listing.entries for name in (entry.filename, entry.group)}
    names |= {name for name, _ in listing.strays}
    formulas = sorted(name for name in names if outputs.is_formula(name))
    if formulas:
        yield BadData(
            f"{folder}: a spreadsheet that opens the tables would run {formulas[0]!r} as a formula"
            f"{f', and {len(formulas) - 1:,} more' if formulas[1:] else ''}. Rename the file or "
            "group."
        )


def _other_classes(found: Found, wanted: list[str], folder: Path) -> Iterator[UserError]:
    repeated = {name for name in wanted if wanted.count(name) > 1}
    if repeated:
        yield UserError(f"params.yaml, data.classes: {_listed(repeated)} is listed twice.")
    others = found.classes - set(wanted)
    if others:
        yield BadData(
            f"{folder}: {_listed(others)} is no class of params.yaml, data.classes "
            f"({', '.join(wanted)}). Add it there, or remove its pictures."
            f"{_same_look(others, wanted)}"
        )


def _same_look(names: Iterable[str], wanted: list[str]) -> str:
    """A sentence about a name that differs from a wanted one in its Unicode form alone, or ''."""
    forms = {unicodedata.normalize("NFC", name): name for name in wanted}
    for name in sorted(names):
        if other := forms.get(unicodedata.normalize("NFC", name)):
            return f" {name!a} looks like {other!a} but is written in other characters."
    return ""


def _twins(names: list[str], folder: Path) -> Iterator[UserError]:
    """Names that look alike: in another case, with other blanks or composed otherwise."""
    seen: dict[str, str] = {}
    for name in dict.fromkeys(names):
        plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
        if plain in seen:
            yield BadData(
                f"{folder}: the classes {seen[plain]!r} and {name!r} differ in case, blanks or "
                "Unicode form only. Give them one name, or two that cannot be confused."
                f"{_same_look([name], [seen[plain]])}"
            )
        seen[plain] = name


def _without_pictures(entries: list[Entry], names: list[str], folder: Path) -> Iterator[UserError]:
    of_any_part = {entry.class_name for entry in entries}
    empty = [name for name in names if name not in of_any_part]
    if empty:
        yield BadData(f"{folder}: no picture of class {_listed(empty)}.")
    others = (TEST, VALIDATION)
    of_training = {entry.class_name for entry in entries if entry.part not in others}
    untrained = [name for name in names if name not in of_training and name not in empty]
    if untrained:
        parts = {e.part for e in entries if e.class_name in untrained}
        only = " and ".join(sorted(parts))
        yield BadData(f"{folder}: no training picture of class {_listed(untrained)}, only {only}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
