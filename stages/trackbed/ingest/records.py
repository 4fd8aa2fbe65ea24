"""The pictures of records as pixels, read out of their shards."""

import math
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from trackbed.ingest import fitting, raster, shards
from trackbed.outputs import allocate
from trackbed.problems import Damaged

CACHE = Path(".cache")
# Of the free memory, for the images of one call; the rest is for training.
SHARE_OF_MEMORY = 0.5
# Images that a thread reads before it takes others.
PORTION = 32
COLUMNS = ["record", "shard", "offset", "length", "image_offset", "image_length"]
COLUMNS += fitting.FEATURES


def pixels(folder: Path, rows: pd.DataFrame, height: int, width: int) -> np.ndarray:
    """The images of some rows of the index, in their order, stretched to one shape.

    uint8, shape (rows, height, width, 3); bilinear with antialiasing. JPEGs that are twice as
    high and wide, or more, are decoded at a half, a quarter or an eighth first. In memory where
    it fits into half of what is free, else in a file of its own that vanishes with the process.
    Raises Damaged if a shard is damaged, or the rows are not those of its records.
    """
    lengths = shards.read(folder).set_index("shard")["bytes"].to_dict()
    if "named_group" in rows:  # of index.assigned; a record knows nothing of joined groups
        rows = rows.assign(group=rows["named_group"])
    fitting.refuse_misplaced(folder, rows, lengths)
    array = _array((len(rows), height, width, 3))
    # Digests, reading, decoding and resizing happen outside Python's lock.
    pool = ThreadPoolExecutor()
    try:
        checked = pool.submit(shards.check, folder, rows["shard"])
        filled = [pool.submit(_fill, array, folder, portion) for portion in _portions(rows)]
        # A damaged shard is told of before a picture in it that cannot be decoded.
        for future in (checked, *filled):
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)
    return array


def _portions(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows, numbered from 0, in the order of the shards and a few of one shard at a time."""
    placed = rows.reset_index(drop=True).sort_values(["shard", "offset"])
    for _, of_shard in placed.groupby("shard"):
        for start in range(0, len(of_shard), PORTION):
            yield of_shard.iloc[start : start + PORTION]


def _fill(array: np.ndarray, folder: Path, portion: pd.DataFrame) -> None:
    """Put the image of every row of a portion at its number; no other record is read."""
    height, width = array.shape[1:3]
    path = folder / portion["shard"].iloc[0]
    # Lists, because a name per row and column takes as long as half of the decoding.
    columns = [portion[name].tolist() for name in COLUMNS]
    with path.open("rb", buffering=0) as file:
        for place, *values in zip(portion.index, *columns, strict=True):
            row = dict(zip(COLUMNS, values, strict=True))
            file.seek(row["offset"])
            data = fitting.image(folder, row, file.read(row["length"]))
            stored, encoding = (row["height"], row["width"]), row["encoding"]
            scale = raster.scale(stored, (height, width)) if encoding == "jpeg" else 1
            try:
                image = raster.decoded(data, encoding, *stored, scale)
            except ValueError as error:
                where = f"{path}, record {row['record']} ({row['filename']})"
                raise Damaged(f"{where}: {error}. Run `dvc repro -f build_tfrecord`.") from None
            raster.resize(image, array[place])


def _array(shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape)
    if size <= psutil.virtual_memory().available * SHARE_OF_MEMORY:
        return np.empty(shape, np.uint8)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=CACHE) as file:
        # A memory map that outgrows the disk ends the process without a word.
        allocate(file, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
