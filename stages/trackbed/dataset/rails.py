"""Sources of TFRecord files in the RAILS schema: raw pixels with their names and labels."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from trackbed.dataset.folders import Tree
from trackbed.dataset.schema import (
    NO_CLASS,
    NOT_REGULAR,
    PARTS,
    Entry,
    Found,
    RawPixels,
    has_bad_name,
    printable,
)
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import BadData
from trackbed.records import tfrecord

FILE_NAME = re.compile(r"(?:(train|test)/)?[^/]+\.tfrecords?(?:-\d+-of-\d+)?")
GZIP = b"\x1f\x8b"

# Name and protobuf list of every feature that a record must have.
SCHEMA = {
    "image_filename": "bytes_list",
    "image_raw": "bytes_list",
    "height": "int64_list",
    "width": "int64_list",
    "depth": "int64_list",
    "label": "int64_list",
}


def files(tree: Tree) -> list[str]:
    """The TFRecord files of a folder, directly in it or in train/ or test/."""
    return [name for name in tree.files if FILE_NAME.fullmatch(name) and name not in tree.irregular]


def read(root: Path, tree: Tree) -> Found:
    """The records of all TFRecord files; their pixels are not kept in memory.

    File names that occur in several classes are told apart by the class in front.
    Raises BadData, with file and record number (from 0), for a damaged file and for records
    of another schema.
    """
    names = files(tree)
    if len({"/" in name for name in names}) > 1:
        raise BadData(
            f"{root}: ambiguous; TFRecord files lie directly in it ({names[0]}) and in parts "
            f"({names[-1]}). Move them all into {' and '.join(f'{part}/' for part in PARTS)}."
        )
    entries = [entry for name in names for entry in _entries(root / name, name)]
    strays = [
        (printable(name), NOT_REGULAR if name in tree.irregular else NO_CLASS)
        for name in tree.files
        if name not in names
    ]
    ignored = [printable(name) for name in tree.ignored]
    return Found(_with_unique_names(entries), {e.class_name for e in entries}, ignored, strays)


def _entries(path: Path, name: str) -> Iterator[Entry]:
    part = name.partition("/")[0] if "/" in name else ""
    record = -1
    for record, (offset, serialized) in enumerate(_records(path)):
        where = f"{path}, record {record}"
        feature = _features(serialized, where)
        given = feature["image_filename"].bytes_list.value[0]
        filename = printable(given.decode("utf-8", "surrogateescape")) or f"{name}#{record}"
        raw = _raw(feature, offset, len(serialized) + tfrecord.FRAME_BYTES, where)
        class_name = _class_name(feature, where)
        yield Entry(f"{part}/{filename}" if part else filename, class_name, part, "", path, raw=raw)
    if record < 0:
        raise BadData(f"{path}: holds no record.")


def _records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and content of every record; TensorFlow compares their checksums."""
    tensorflow_setup.start()
    import tensorflow as tf

    offset = number = 0
    try:
        for serialized in tf.data.TFRecordDataset([str(path)]).as_numpy_iterator():
            yield offset, serialized
            offset += len(serialized) + tfrecord.FRAME_BYTES
            number += 1
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError):
        raise BadData(f"{path}, record {number}: {_damage(path)} at byte {offset:,}.") from None
    except tf.errors.OpError as error:
        raise BadData(f"{path}: cannot be read ({error.message}).") from None
    # A file cut inside the length of a record reads as a shorter one without any error.
    if offset != path.stat().st_size:
        raise BadData(f"{path}, record {number}: {_damage(path)} at byte {offset:,}.")


def _damage(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) == GZIP:
            return "the file is compressed; unpack it, it is not a TFRecord"
    return "damaged or cut off"


def _features(serialized: bytes, where: str) -> Any:
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        feature = tf.train.Example.FromString(serialized).features.feature
    except DecodeError:
        raise BadData(f"{where}: not a tf.train.Example.") from None
    for name, kind in SCHEMA.items():
        if name not in feature or len(getattr(feature[name], kind).value) != 1:
            raise BadData(
                f"{where}: no feature '{name}' with one value; the RAILS schema has "
                f"{', '.join(SCHEMA)} and class_name, this record has "
                f"{', '.join(sorted(feature)) or 'none'}."
            )
    return feature


def _class_name(feature: Any, where: str) -> str:
    if "class_name" not in feature or not feature["class_name"].bytes_list.value:
        label = feature["label"].int64_list.value[0]
        if label < 0:
            raise BadData(f"{where}: label must be 0 or more without a class_name, got {label}.")
        return str(label)
    name = feature["class_name"].bytes_list.value[0].decode("utf-8", "surrogateescape")
    if not name or has_bad_name(name):
        raise BadData(f"{where}: class_name must be text, got '{printable(name)}'.")
    return name


def _raw(feature: Any, offset: int, record_length: int, where: str) -> RawPixels:
    height, width, depth = (
        feature[name].int64_list.value[0] for name in ("height", "width", "depth")
    )
    if depth not in (1, 3):
        raise BadData(f"{where}: depth must be 1 or 3, got {depth}.")
    length = len(feature["image_raw"].bytes_list.value[0])
    return RawPixels(offset, record_length, length, height, width, depth)


def _with_unique_names(entries: list[Entry]) -> list[Entry]:
    """The same entries; where two classes share a file name, all names get their class."""
    classes = Counter(name for name, _ in {(e.filename, e.class_name) for e in entries})
    if not entries or max(classes.values()) == 1:
        return entries
    return [replace(e, filename=f"{e.class_name}/{e.filename}") for e in entries]
