"""Check shards, index and records against each other: counts, digests, places, features."""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.pipeline.errors import Damaged
from trackbed.pipeline.index import INDEX_TABLE, SHARDS_TABLE
from trackbed.records import record_features, tfrecord
from trackbed.records.record_features import ENCODINGS, IMAGE

REMEDY = "Run `dvc repro -f build_tfrecord`."
# Shards that are read at a time; more than cores, to hide the delays of remote disks.
READERS = 8


def check(folder: Path, names: Iterable[str]) -> None:
    """Refuse these shards of a folder if they differ from what was written.

    A shard cut at the border of two records reads as a shorter one without any error.
    Raises Damaged with the name of the shard.
    """
    table, wanted = SHARDS_TABLE.read(folder).set_index("shard"), sorted(set(names))
    if others := [name for name in wanted if name not in table.index]:
        raise Damaged(
            f"{folder}: the index names {others[0]}, {SHARDS_TABLE.name} does not. {REMEDY}"
        )
    wanted = table.loc[wanted]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(_length_and_digest, [folder / name for name in wanted.index])
        for shard, (length, digest) in zip(wanted.itertuples(), found, strict=True):
            if (length, digest) != (shard.bytes, shard.sha256):
                raise Damaged(
                    f"{folder / shard.Index}: damaged; {length} bytes, expected {shard.bytes} with "
                    f"SHA-256 {shard.sha256[:12]}…. Remove {folder} and run "
                    "`dvc repro build_tfrecord`."
                )


def _length_and_digest(path: Path) -> tuple[int | str, str]:
    """Length and digest of a file."""
    if not path.is_file():
        return "no such file, 0", ""
    status = path.stat()
    return status.st_size, _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.cache
def _digest(path: Path, length: int, changed: int) -> str:
    """SHA-256 of a file; computed again after every change of its length or time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_misplaced(folder: Path, rows: pd.DataFrame, shard_bytes: Mapping[str, int]) -> None:
    """Refuse rows of an index with impossible places in the shards.

    shard_bytes: the length of every shard. Raises Damaged, naming file and record.
    """
    end, image_end = rows["offset"] + rows["length"], rows["image_offset"] + rows["image_length"]
    raw_bytes = rows["height"] * rows["width"] * 3
    first = rows["image_offset"] < rows["offset"] + tfrecord.HEADER_BYTES
    inside = image_end <= end - tfrecord.FOOTER_BYTES
    faults = {
        "lies outside of its shard": (rows["offset"] < 0)
        | (rows["length"] <= 0)
        | (end > rows["shard"].map(shard_bytes)),
        "has an image outside of the record": first | ~inside | (rows["image_length"] < 0),
        "has no such encoding": ~rows["encoding"].isin(ENCODINGS),
        "has sides below 1": rows[["height", "width"]].min(axis=1) < 1,
        "has pixels of the wrong length": (rows["encoding"] == "raw")
        & (rows["image_length"] != raw_bytes),
        "overlaps another record": _overlapping(rows),
    }
    for fault, wrong in faults.items():
        if wrong.any():
            raise Damaged(f"{row_location(folder, rows[wrong].iloc[0])} {fault}. {REMEDY}")


def _overlapping(rows: pd.DataFrame) -> pd.Series:
    """Which rows begin within another; a record may be asked for twice."""
    placed = rows.drop_duplicates("record").sort_values(["shard", "offset"])
    ends = (placed["offset"] + placed["length"]).groupby(placed["shard"]).shift(fill_value=0)
    return (placed["offset"] < ends).reindex(rows.index, fill_value=False)


def image(folder: Path, row: Mapping[str, Any], record: bytes) -> bytes:
    """The stored image of a record, which was read where the row of an index says.

    Raises Damaged, naming file and record, where the record is damaged or is another one: all of
    its features are compared with the row, and the image with its place.
    """
    start = row["image_offset"] - row["offset"]
    try:
        found = tfrecord.parse_example(tfrecord.unframe(record))
    except ValueError as error:
        raise Damaged(f"{row_location(folder, row)} is {error}. {REMEDY}") from None
    data = found.get(IMAGE) or b""
    expected = {
        name: value.encode() if isinstance(value, str) else value
        for name, value in record_features.of_row(row, data).items()
    }
    if found != expected or record[start : start + row["image_length"]] != data:
        raise Damaged(f"{row_location(folder, row)} is another one in its shard. {REMEDY}")
    return data


def row_location(folder: Path, row: Mapping[str, Any]) -> str:
    """The row and its place in the shards, for messages."""
    return (
        f"{folder / INDEX_TABLE.name}: record {row['record']} ({row['filename']}; {row['shard']}, "
        f"bytes {row['offset']} + {row['length']}, "
        f"image {row['image_offset']} + {row['image_length']}, "
        f"{row['encoding']} of {row['height']} x {row['width']})"
    )
