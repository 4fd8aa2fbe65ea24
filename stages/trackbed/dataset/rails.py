"""Sources of TFRecord files in the RAILS schema: raw pixels with their names and labels."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trackbed.dataset.folders import Hints, Tree
from trackbed.dataset.schema import (
    IGNORE,
    Entry,
    Found,
    RawPixels,
    is_document,
    is_unlabelled,
    part_of,
)
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import NO_CLASS, NO_LABEL, NOT_REGULAR
from trackbed.pipeline.errors import BadData
from trackbed.records import tfrecord

SHARD_NUMBER = r"-\d{1,6}-of-\d{1,6}"
FILE_NAME = re.compile(
    rf".*(\.(tfrecords?|tfrec|tfr)({SHARD_NUMBER})?|{SHARD_NUMBER})(\.(gz|gzip|zz|zlib))?",
    re.IGNORECASE | re.DOTALL,
)
# How files begin that are no TFRecord.
OTHER_STARTS = {b"PK\x03\x04": "a ZIP archive", b"\x89HDF": "an HDF5 file", b"BZh": "bzip2"}
OTHER_STARTS |= {b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "Zstandard", b"\x93NUMPY": "a NumPy array"}
NO_HINTS = Hints()

# Type of every feature that a record must have; text is bytes.
SCHEMA = {
    "image_filename": bytes,
    "image_raw": bytes,
    "height": int,
    "width": int,
    "depth": int,
    "label": int,
}


def files(tree: Tree) -> list[str]:
    """The TFRecord files of a folder, directly in it or in folders named like parts.

    A folder that holds nothing else may wrap them.
    """
    names = [n for n in tree.files if FILE_NAME.fullmatch(n) and n not in tree.irregular]
    others = [n for n in tree.files if n not in names and not is_document(n)]
    start = 0 if others else len(_wrapper(names))
    places = {name: name[start:].rpartition("/")[0] for name in names}
    return [name for name, place in places.items() if not place or part_of(place)[1]]


def _wrapper(names: list[str]) -> str:
    """The folders around all files, but for one that names a part; it ends in a slash."""
    folders = [name.split("/")[:-1] for name in names]
    common = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1 or part_of(level[0])[1]:
            break
        common.append(f"{level[0]}/")
    return "".join(common)


def read(root: Path, tree: Tree, hints: Hints = NO_HINTS) -> Found:
    """The records of all TFRecord files; their pixels are not kept in memory.

    Files compressed as GZIP or ZLIB are unpacked into a temporary folder, which is deleted when the
    process ends. File names that occur in several classes are told apart by the class in front.
    Raises BadData, with file and record number (from 0), for a damaged file and for records
    of another schema.
    """
    names = files(tree)
    parts = _parts(root, names, hints)
    labelled = [
        pair
        for name, part in parts.items()
        if part != IGNORE
        for pair in _entries(tree.path(root, name), root / name, name, part)
    ]
    entries = _with_unique_names(_with_classes(labelled, root))
    unlabelled = {name for name in {e.class_name for e in entries} if is_unlabelled(name)}
    unlabelled.difference_update(hints.classes)
    others = [name for name in tree.files if name not in names]
    ignored = [name for name in others if is_document(name) and name not in tree.irregular]
    strays = [
        (printable(name), NOT_REGULAR if name in tree.irregular else NO_CLASS)
        for name in others
        if name not in ignored
    ]
    without = [entry for entry in entries if entry.class_name in unlabelled]
    strays += [(printable(entry.filename), NO_LABEL) for entry in without]
    left_out = [*tree.ignored, *ignored, *(name for name in names if parts[name] == IGNORE)]
    notes = [f"{part}: {', '.join(n for n in names if parts[n] == part)}" for part in _given(parts)]
    if without:
        labels = ", ".join(map(repr, sorted(unlabelled)))
        notes.append(f"left out without a label: {labels} ({len(without):,} records)")
    kept = [entry for entry in entries if entry.class_name not in unlabelled]
    return Found(
        kept,
        {entry.class_name for entry in kept},
        [printable(name) for name in left_out],
        strays,
        notes=notes,
    )


def _given(parts: Mapping[str, str]) -> list[str]:
    return sorted(set(parts.values()) - {""})


def _parts(root: Path, names: list[str], hints: Hints) -> dict[str, str]:
    """The part of every file, by the name of its folder or by its own; '' where there are none."""
    folders = {name: name.rpartition("/")[0].rpartition("/")[2] for name in names}
    inside = [name for name in names if part_of(folders[name])[1]]
    if inside and len(inside) < len(names):
        outside = next(name for name in names if name not in inside)
        raise BadData(
            f"{root}: ambiguous; TFRecord files lie directly in it ({outside}) and in parts "
            f"({inside[0]}). Move them all into folders such as train/ and test/."
        )
    given = {} if hints.parts is None else {key.strip("/"): p for key, p in hints.parts.items()}
    parts = {
        name: given.get(name) or given.get(folders[name]) or _usual(folders[name], name, hints)
        for name in names
    }
    found = _given(parts)
    if not inside and len(found) == 1 and not given:
        return dict.fromkeys(names, "")
    if found and "" in parts.values():
        unknown = next(name for name, part in parts.items() if not part)
        raise BadData(
            f"{root}: ambiguous; the names of some TFRecord files say {' and '.join(found)}, that "
            f"of {printable(unknown)} does not. Say which part it is in data.parts, for example "
            f"{{{printable(unknown)}: train}}; {{}} there means that there are no parts."
        )
    return parts


def _usual(folder: str, name: str, hints: Hints) -> str:
    if hints.parts == {}:
        return ""
    return part_of(folder)[0] or part_of(name.rpartition("/")[2])[0]


def _entries(path: Path, shown: Path, name: str, part: str) -> Iterator[tuple[int, Entry]]:
    """Labels and records of a file; the class is '' for a record without class_name.

    path: where its bytes lie. shown: its name in messages.
    """
    path = _plain(path, shown)
    record = -1
    for record, (offset, serialized) in enumerate(_records(path, shown)):
        where = f"{shown}, record {record}"
        feature = _features(serialized, where)
        given = feature["image_filename"].decode("utf-8", "surrogateescape")
        filename = printable(given) or f"{name}#{record}"
        raw = _raw(feature, offset, len(serialized) + tfrecord.FRAME_BYTES, where)
        class_name = _class_name(feature, where)
        filename = f"{part}/{filename}" if part else filename
        yield feature["label"], Entry(filename, class_name, part, "", path, raw=raw)
    if record < 0:
        raise BadData(f"{shown}: holds no record. Delete it, or write it anew.")


def _records(path: Path, shown: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and content of every record, with their checksums compared."""
    offset = number = 0
    try:
        with path.open("rb") as file:
            for offset, serialized in tfrecord.records(file):
                yield offset, serialized
                offset += len(serialized) + tfrecord.FRAME_BYTES
                number += 1
    except ValueError:
        raise BadData(f"{shown}, record {number}: {damage(path, offset)}.") from None
    except OSError as error:
        raise BadData(f"{shown}: cannot be read ({error.strerror}).") from None


def damage(path: Path, offset: int) -> str:
    """Why no record begins at a byte of a file."""
    with path.open("rb") as file:
        head = file.read(8)
    for start, kind in OTHER_STARTS.items():
        if head.startswith(start):
            return f"no TFRecord but {kind}; unpack or convert it"
    return f"damaged or cut off at byte {offset:,}"


def _plain(path: Path, shown: Path) -> Path:
    """The file itself, or a copy of it that is not compressed."""
    try:
        return tfrecord.plain_file(path)
    except ValueError:
        raise BadData(f"{shown}: compressed, and damaged or cut off.") from None
    except OSError as error:
        raise BadData(f"{shown}: cannot be read or unpacked ({error.strerror}).") from None


def _features(serialized: bytes, where: str) -> dict[str, Any]:
    try:
        feature = tfrecord.parse_example(serialized)
    except ValueError:
        raise BadData(f"{where}: not a tf.train.Example.") from None
    for name, kind in SCHEMA.items():
        if not isinstance(feature.get(name), kind):
            raise BadData(
                f"{where}: no feature '{name}' with one value; the RAILS schema has "
                f"{', '.join(SCHEMA)} and class_name, this record has "
                f"{', '.join(sorted(feature)) or 'none'}."
            )
    return feature


def _class_name(feature: Mapping[str, Any], where: str) -> str:
    given = feature.get("class_name")
    if given is None:
        label = feature["label"]
        if label < 0:
            raise BadData(f"{where}: label must be 0 or more without a class_name, got {label}.")
        return ""
    name = given.decode("utf-8", "surrogateescape") if isinstance(given, bytes) else ""
    if not name or has_bad_name(name):
        raise BadData(f"{where}: class_name must be text, got '{printable(name)}'.")
    return name


def _raw(feature: Mapping[str, Any], offset: int, record_length: int, where: str) -> RawPixels:
    height, width, depth = (feature[name] for name in ("height", "width", "depth"))
    if depth not in (1, 3):
        raise BadData(f"{where}: depth must be 1 or 3, got {depth}.")
    length = len(feature["image_raw"])
    return RawPixels(offset, record_length, length, height, width, depth)


def _with_classes(labelled: list[tuple[int, Entry]], root: Path) -> list[Entry]:
    """The entries with their classes: the number of the label where no record has a class_name.

    Where others have one, it is the name that stands beside the same label there.
    """
    names: dict[int, set[str]] = {}
    for label, entry in labelled:
        if entry.class_name:
            names.setdefault(label, set()).add(entry.class_name)
    for label, entry in labelled:
        found = names.get(label, set())
        if names and not entry.class_name and len(found) != 1:
            others = (
                f"others of it have {len(found)} different ones"
                if found
                else "no other of it has one"
            )
            raise BadData(
                f"{root}: the record {entry.filename} of label {label} has no class_name, and "
                f"{others}. Write it into every record, or into none."
            )
    known = {label: next(iter(found)) for label, found in names.items()}
    return [
        replace(entry, class_name=entry.class_name or known.get(label, str(label)))
        for label, entry in labelled
    ]


def _with_unique_names(entries: list[Entry]) -> list[Entry]:
    """The same entries; where two classes share a file name, all names get their class."""
    classes = Counter(name for name, _ in {(e.filename, e.class_name) for e in entries})
    if not entries or max(classes.values()) == 1:
        return entries
    return [replace(e, filename=f"{e.class_name}/{e.filename}") for e in entries]
