"""Whether an index is that of the shards beside it: every record where, and what, it says."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.index import INDEX_FILE
from trackbed.ingest import serialized
from trackbed.problems import Damaged

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
REMEDY = "Run `dvc repro -f build_tfrecord`."


def features(values: Mapping[str, Any], data: bytes) -> serialized.Features:
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
            raise Damaged(f"{where(folder, rows[wrong].iloc[0])} {words}. {REMEDY}")


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
    before = first + serialized.entries({FEATURES["filename"]: row["filename"]})
    length = int.from_bytes(record[:8], "little")
    whole = len(record) == length + FRAME_BEFORE + FRAME_AFTER
    if not whole or before not in record[:start] or record[end:-FRAME_AFTER] != behind:
        raise Damaged(f"{where(folder, row)} is another one in its shard. {REMEDY}")
    return memoryview(record)[start:end]


@functools.lru_cache(2**10)
def _around(*shared: Any) -> tuple[bytes, bytes]:
    """What stands before file name and image, and behind them; many neighbours have it alike."""
    known = features(dict(zip(SHARED, shared, strict=True)) | {"filename": ""}, b"")
    name = FEATURES["filename"]
    first = {key: value for key, value in known.items() if key < name}
    return serialized.entries(first), serialized.entries(
        {key: value for key, value in known.items() if key > IMAGE}
    )


def where(folder: Path, row: Mapping[str, Any]) -> str:
    """Which row it is, with the numbers of its place."""
    return (
        f"{folder / INDEX_FILE}: record {row['record']} ({row['filename']}; {row['shard']}, bytes "
        f"{row['offset']} + {row['length']}, image {row['image_offset']} + {row['image_length']}, "
        f"{row['encoding']} of {row['height']} x {row['width']})"
    )
