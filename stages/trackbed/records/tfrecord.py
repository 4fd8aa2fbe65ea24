"""Records as bytes, without TensorFlow: tf.train.Example in the frame of a TFRecord.

https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import functools
import os
import struct
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import google_crc32c

Features = Mapping[str, bytes | str | int]
"""Features of a record and their single values; text becomes UTF-8."""

CHECKSUM_MASK = 0xA282EAD8
LENGTH_BYTES = 8
HEADER_BYTES = 12  # length of the data and its checksum, before them
FOOTER_BYTES = 4  # checksum of the data, behind them
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
ANY_WRAPPER = 32 + zlib.MAX_WBITS  # zlib's code for GZIP or ZLIB
PACKED_BYTES = 2**16  # at a time; they may unpack to a thousand times as many

# Name, number, label and type of every field that is needed of every message. A map is, in
# bytes, a repeated message of key and value.
MESSAGES = {
    "BytesList": [("value", 1, "REPEATED", "BYTES")],
    "Int64List": [("value", 1, "REPEATED", "INT64")],
    "Feature": [
        ("bytes_list", 1, "OPTIONAL", "BytesList"),
        ("int64_list", 3, "OPTIONAL", "Int64List"),
    ],
    "Entry": [("key", 1, "OPTIONAL", "STRING"), ("value", 2, "OPTIONAL", "Feature")],
    "Features": [("feature", 1, "REPEATED", "Entry")],
    "Example": [("features", 1, "OPTIONAL", "Features")],
}


def example(features: Features) -> bytes:
    """A tf.train.Example, sorted by name as SerializeToString(deterministic=True) does."""
    message = _messages().Example()
    _fill(message.features, features)
    return message.SerializeToString()


def parse_example(data: bytes) -> dict[str, bytes | int]:
    """The features of a tf.train.Example; text as UTF-8, None for one without a single value.

    Raises ValueError for data that are no such message.
    """
    from google.protobuf.message import DecodeError  # slow, and many need no record

    try:
        entries = _messages().Example.FromString(data).features.feature
    except DecodeError:
        raise ValueError("no tf.train.Example") from None
    return {entry.key: _single_value(entry.value) for entry in entries}


def bytes_after(features: Features, name: str) -> int:
    """How many bytes of `example(features)` follow the value of a feature of bytes or text."""
    later = {key: value for key, value in features.items() if key > name}
    return _fill(_messages().Features(), later).ByteSize()


def frame(data: bytes) -> tuple[bytes, bytes]:
    """Header and footer of a TFRecord: length with its checksum, and checksum of the data."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length), _checksum(data)


def unframe(record: bytes) -> bytes:
    """The data of a TFRecord. Raises ValueError unless length and checksums are right."""
    data = record[HEADER_BYTES:-FOOTER_BYTES]
    if (record[:HEADER_BYTES], record[-FOOTER_BYTES:]) != frame(data):
        raise ValueError("no whole TFRecord")
    return data


def records(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Offset and data of every record of a file, which is read once.

    Raises ValueError at the first one that is damaged or cut off; a file may also end between two
    records too early, which nothing tells.
    """
    end, offset = file.seek(0, os.SEEK_END), file.seek(0)
    while offset < end:
        header = file.read(HEADER_BYTES)
        length = int.from_bytes(header[:LENGTH_BYTES], "little")
        if not is_header(header) or offset + FRAME_BYTES + length > end:
            raise ValueError("no whole TFRecord")
        yield offset, unframe(header + file.read(length + FOOTER_BYTES))
        offset += FRAME_BYTES + length


def places(file: IO[bytes]) -> Iterator[tuple[int, int]]:
    """Offset of every record of a file, and the length of its data, which are not read.

    Raises ValueError at the first one whose header is damaged or that is cut off.
    """
    end, offset = file.seek(0, os.SEEK_END), 0
    while offset < end:
        file.seek(offset)
        header = file.read(HEADER_BYTES)
        length = int.from_bytes(header[:LENGTH_BYTES], "little")
        if not is_header(header) or offset + FRAME_BYTES + length > end:
            raise ValueError("no whole TFRecord")
        yield offset, length
        offset += FRAME_BYTES + length


def is_header(data: bytes) -> bool:
    """Whether bytes are the length of a TFRecord with its checksum."""
    return len(data) == HEADER_BYTES and data[LENGTH_BYTES:] == _checksum(data[:LENGTH_BYTES])


def plain_file(path: Path) -> Path:
    """The file itself, or an unpacked copy of it where it is compressed as GZIP or ZLIB.

    The copy lasts as long as the process. Raises ValueError for one that is damaged or cut off,
    OSError for a file that cannot be read and for a full disk.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        if is_header(head) or not _is_compressed(head):
            return path
        file.seek(0)
        with tempfile.NamedTemporaryFile(dir=_unpacked().name, delete=False) as copy:
            _unpack(file, copy)
    return Path(copy.name)


def _is_compressed(head: bytes) -> bool:
    """Whether a file begins as GZIP (RFC 1952) or ZLIB (RFC 1950) does."""
    is_zlib = head[:1] == b"\x78" and int.from_bytes(head[:2], "big") % 31 == 0
    return is_zlib or head[:2] == b"\x1f\x8b"


@functools.cache
def _unpacked() -> tempfile.TemporaryDirectory:
    """A folder that is deleted when the process ends."""
    return tempfile.TemporaryDirectory(prefix="trackbed-")


def _unpack(file: IO[bytes], copy: IO[bytes]) -> None:
    """Unpack one stream of ZLIB, or of GZIP one after another."""
    stream = zlib.decompressobj(wbits=ANY_WRAPPER)
    try:
        while data := file.read(PACKED_BYTES):
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=ANY_WRAPPER)
                copy.write(stream.decompress(data))
                data = stream.unused_data
    except zlib.error:
        raise ValueError("damaged") from None
    if not stream.eof:
        raise ValueError("cut off")


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + CHECKSUM_MASK) & 0xFFFFFFFF)


def _fill(message: Any, features: Features) -> Any:
    """The message Features with these entries."""
    for name in sorted(features):
        value, feature = features[name], message.feature.add(key=name).value
        if isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            feature.bytes_list.value.append(value.encode() if isinstance(value, str) else value)
    return message


def _single_value(feature: Any) -> bytes | int | None:
    values = [*feature.bytes_list.value, *feature.int64_list.value]
    return values[0] if len(values) == 1 else None


@functools.cache
def _messages() -> SimpleNamespace:
    return message_classes("example", MESSAGES)


def message_classes(
    package: str, messages: Mapping[str, list[tuple[str, int, str, str]]]
) -> SimpleNamespace:
    """The classes of messages as in MESSAGES, in a pool of their own: TensorFlow brings its own."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name=f"trackbed/{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, label, kind in fields:
            is_message = kind in messages
            message.field.add(
                name=field,
                number=number,
                label=f"LABEL_{label}",
                type="TYPE_MESSAGE" if is_message else f"TYPE_{kind}",
                type_name=f".{package}.{kind}" if is_message else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    find = pool.FindMessageTypeByName
    classes = {n: message_factory.GetMessageClass(find(f"{package}.{n}")) for n in messages}
    return SimpleNamespace(**classes)
