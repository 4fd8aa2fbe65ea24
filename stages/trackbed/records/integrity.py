"""Whether shards and index are as they were written: counts, digests, places of records."""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.pipeline import tables
from trackbed.pipeline.errors import Damaged
from trackbed.pipeline.index import INDEX_FILE, SHARDS_FILE
from trackbed.pipeline.outputs import write_csv
from trackbed.records import tfrecord

REMEDY = "Run `dvc repro -f build_tfrecord`."
COLUMNS = ["shard", "records", "bytes", "sha256"]
# Shards that are read at a time; more than cores, to hide the delays of remote disks.
READERS = 8


def read(folder: Path) -> pd.DataFrame:
    """The shards of a folder in their order, columns as in COLUMNS."""
    path = folder / SHARDS_FILE
    table = tables.read_csv(path, REMEDY, dtype={"shard": "str"}, na_filter=False)
    if list(table.columns) != COLUMNS:
        raise Damaged(f"{path}: columns are {list(table.columns)}, expected {COLUMNS}. {REMEDY}")
    return table


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write shards.csv into a records folder."""
    write_csv(folder / SHARDS_FILE, table[COLUMNS])


def check(folder: Path, names: Iterable[str]) -> None:
    """Refuse these shards of a folder if they are not as they were written.

    A shard cut at the border of two records reads as a shorter one without any error.
    Raises Damaged with the name of the shard.
    """
    table, wanted = read(folder).set_index("shard"), sorted(set(names))
    if others := [name for name in wanted if name not in table.index]:
        raise Damaged(f"{folder}: the index names {others[0]}, {SHARDS_FILE} does not. {REMEDY}")
    wanted = table.loc[wanted]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(_state, [folder / name for name in wanted.index])
        for shard, (length, digest) in zip(wanted.itertuples(), found, strict=True):
            if (length, digest) != (shard.bytes, shard.sha256):
                raise Damaged(
                    f"{folder / shard.Index}: damaged; {length} bytes, expected {shard.bytes} with "
                    f"SHA-256 {shard.sha256[:12]}…. Remove {folder} and run "
                    "`dvc repro build_tfrecord`."
                )


def _state(path: Path) -> tuple[int | str, str]:
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


IMAGE = "image_raw"
ENCODINGS = ("jpeg", "png", "raw")
FRAME_BEFORE, FRAME_AFTER = 12, 4  # bytes around a record in a TFRecord file
# Columns of the index that stand in the record, too, and what they are called there.
FEATURES = {
    "filename": "image_filename",
    "height": "height",
    "width": "width",
    "label": "label",
    "class_name": "class_name",
    "group": "group",
    "encoding": "encoding",
}
SHARED = tuple(column for column in FEATURES if column != "filename")
INDEX_REMEDY = "Run `dvc repro -f build_tfrecord`."


def features(values: Mapping[str, Any], data: bytes) -> tfrecord.Features:
    """The features of a record: those of FEATURES by the names of the index, and its image."""
    return {name: values[column] for column, name in FEATURES.items()} | {IMAGE: data, "depth": 3}


def refuse_misplaced(folder: Path, rows: pd.DataFrame, shard_bytes: Mapping[str, int]) -> None:
    """Refuse rows of an index whose places in the shards cannot be.

    shard_bytes: the length of every shard. Raises Damaged, naming file and record.
    """
    end, image_end = rows["offset"] + rows["length"], rows["image_offset"] + rows["image_length"]
    raw_bytes = rows["height"] * rows["width"] * 3
    first = rows["image_offset"] < rows["offset"] + FRAME_BEFORE
    inside = image_end <= end - FRAME_AFTER
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
    for words, wrong in faults.items():
        if wrong.any():
            raise Damaged(f"{where(folder, rows[wrong].iloc[0])} {words}. {INDEX_REMEDY}")


def _overlapping(rows: pd.DataFrame) -> pd.Series:
    """Which rows begin within another; a record may be asked for twice."""
    placed = rows.drop_duplicates("record").sort_values(["shard", "offset"])
    ends = (placed["offset"] + placed["length"]).groupby(placed["shard"]).shift(fill_value=0)
    return (placed["offset"] < ends).reindex(rows.index, fill_value=False)


def image(folder: Path, row: Mapping[str, Any], record: bytes) -> memoryview:
    """The stored image of a record, which was read where the row of an index says.

    Raises Damaged, naming file and record, if it is another record: all that stands around the
    image is compared, name, class, label and sides.
    """
    start = row["image_offset"] - row["offset"]
    end = start + row["image_length"]
    first, behind = _around(*[row[column] for column in SHARED])
    before = first + tfrecord.entries({FEATURES["filename"]: row["filename"]})
    length = int.from_bytes(record[:8], "little")
    whole = len(record) == length + FRAME_BEFORE + FRAME_AFTER
    if not whole or before not in record[:start] or record[end:-FRAME_AFTER] != behind:
        raise Damaged(f"{where(folder, row)} is another one in its shard. {INDEX_REMEDY}")
    return memoryview(record)[start:end]


@functools.lru_cache(2**10)
def _around(*shared: Any) -> tuple[bytes, bytes]:
    """What stands before file name and image, and behind them; many neighbours have it alike."""
    known = features(dict(zip(SHARED, shared, strict=True)) | {"filename": ""}, b"")
    name = FEATURES["filename"]
    first = {key: value for key, value in known.items() if key < name}
    return tfrecord.entries(first), tfrecord.entries(
        {key: value for key, value in known.items() if key > IMAGE}
    )


def where(folder: Path, row: Mapping[str, Any]) -> str:
    """Which row it is, with the numbers of its place."""
    return (
        f"{folder / INDEX_FILE}: record {row['record']} ({row['filename']}; {row['shard']}, bytes "
        f"{row['offset']} + {row['length']}, image {row['image_offset']} + {row['image_length']}, "
        f"{row['encoding']} of {row['height']} x {row['width']})"
    )
