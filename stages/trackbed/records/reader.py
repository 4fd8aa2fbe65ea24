"""The pixels of stored pictures, decoded and resized, out of their shards."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.index import SHARDS_TABLE
from trackbed.records import integrity, pixel_memory, resizing
from trackbed.records.pixel_memory import PixelMemory
from trackbed.records.record_features import FEATURES

# Images that a thread reads before it takes others.
CHUNK_IMAGES = 32
COLUMNS = ["record", "shard", "offset", "length", "image_offset", "image_length"]
COLUMNS += FEATURES


def pixels(folder: Path, rows: pd.DataFrame, height: int, width: int) -> np.ndarray:
    """The images of some rows of the index, in their order, stretched to one shape.

    uint8, shape (rows, height, width, 3); bilinear with antialiasing. JPEGs that are twice as
    high and wide, or more, are decoded at a half, a quarter or an eighth first. In memory where
    it fits into half of what is free, else in a file of its own that vanishes with the process.
    Raises Damaged if a shard is damaged, or the rows are not those of its records.
    """
    lengths = SHARDS_TABLE.read(folder).set_index("shard")["bytes"].to_dict()
    if "named_group" in rows:  # of index.assigned; a record knows nothing of joined groups
        rows = rows.assign(group=rows["named_group"])
    integrity.refuse_misplaced(folder, rows, lengths)
    memory = pixel_memory.allocated((len(rows), height, width, 3))
    # Digests, reading, decoding and resizing happen outside Python's lock.
    pool = ThreadPoolExecutor()
    try:
        checked = pool.submit(integrity.check, folder, rows["shard"])
        filled = [pool.submit(_fill, memory, folder, chunk) for chunk in _chunks(rows)]
        # A damaged shard is reported before a picture in it that cannot be decoded.
        for future in (checked, *filled):
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)
    return memory.array


def _chunks(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows, numbered from 0, in the order of the shards and a few of one shard at a time."""
    placed = rows.reset_index(drop=True).sort_values(["shard", "offset"])
    for _, of_shard in placed.groupby("shard"):
        for start in range(0, len(of_shard), CHUNK_IMAGES):
            yield of_shard.iloc[start : start + CHUNK_IMAGES]


def _fill(memory: PixelMemory, folder: Path, chunk: pd.DataFrame) -> None:
    """Put the image of every row of a chunk at its number; no other record is read."""
    height, width = memory.array.shape[1:3]
    start, stop = chunk.index.min(), chunk.index.max() + 1
    if stop - start == len(chunk):  # else its rows lie among others
        memory.populate(start, stop)
    path = folder / chunk["shard"].iloc[0]
    # Lists, because a name per row and column takes as long as half of the decoding.
    columns = [chunk[name].tolist() for name in COLUMNS]
    with path.open("rb", buffering=0) as file:
        for place, *values in zip(chunk.index, *columns, strict=True):
            row = dict(zip(COLUMNS, values, strict=True))
            resizing.resize(_image(file, folder, row, (height, width)), memory.array[place])


def stored_image(folder: Path, row: Mapping[str, Any]) -> np.ndarray:
    """The picture of one row of the index in its stored size: uint8, shape (height, width, 3).

    The shard as a whole is not checked, the record is: its checksums, and its features against
    the row. Raises UserError for a missing shard, Damaged for a damaged or another record.
    """
    path, row = folder / row["shard"], {**row}
    row["group"] = row.get("named_group", row["group"])
    try:
        with path.open("rb", buffering=0) as file:
            return _image(file, folder, row)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. {integrity.REMEDY}") from None
    except OSError as error:  # also for a place before the file
        where = integrity.row_location(folder, row)
        raise Damaged(f"{where} cannot be read ({error.strerror}). {integrity.REMEDY}") from None


def _image(
    file: IO[bytes], folder: Path, row: Mapping[str, Any], wanted: Sequence[int] = ()
) -> np.ndarray:
    """The checked and decoded picture of a row, no smaller than the wanted height and width."""
    file.seek(row["offset"])
    data = integrity.image(folder, row, file.read(row["length"]))
    stored, encoding = (row["height"], row["width"]), row["encoding"]
    try:
        return resizing.no_smaller(data, encoding, stored, wanted or stored)
    except ValueError as error:
        where = f"{folder / row['shard']}, record {row['record']} ({row['filename']})"
        raise Damaged(f"{where}: {error}. {integrity.REMEDY}") from None
