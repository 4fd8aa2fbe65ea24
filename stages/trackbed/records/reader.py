"""The pixels of stored pictures, decoded and resized, out of their shards."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import psutil
from PIL import Image

from trackbed.pipeline.errors import Damaged
from trackbed.pipeline.outputs import allocate
from trackbed.records import integrity

# A JPEG can be decoded at 1 / scale of its sides, which leaves out what a smaller picture
# cannot show; OpenCV's flags for it go with colour as well.
REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: 0,
}
# As Pillow does: RGB, pixels as they lie in the file.
COLOUR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


def jpeg_reduction(stored: Sequence[int], wanted: Sequence[int]) -> int:
    """The largest scale at which a JPEG of the stored size is no smaller than wanted.

    The choice of Pillow's `Image.draft`.
    """
    times = min(stored[0] // wanted[0], stored[1] // wanted[1])
    return max((one for one in REDUCED if one <= times), default=1)


def decoded(data: bytes, encoding: str, height: int, width: int, scale: int = 1) -> np.ndarray:
    """The RGB picture that was stored as 'raw' pixels, 'jpeg' or 'png': uint8, (height, width, 3).

    A JPEG is decoded at 1 / scale of its sides, rounded up.
    Raises ValueError if the data are no such picture of that height and width.
    """
    coded = np.frombuffer(data, np.uint8)
    if encoding == "raw":
        return coded.reshape(height, width, 3)
    image = cv2.imdecode(coded, COLOUR | REDUCED[scale])
    expected = (-(-height // scale), -(-width // scale), 3)
    if image is None or image.shape != expected:
        found = "nothing" if image is None else image.shape
        raise ValueError(f"expected a picture of shape {expected}. Received {found}")
    return image


def resize(image: np.ndarray, target: np.ndarray) -> None:
    """Stretch a uint8 image into another of any shape: bilinear, antialiased where it shrinks."""
    height, width = target.shape[:2]
    if image.shape[0] > height or image.shape[1] > width:
        target[:] = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    else:
        # Pillow's answer too, within one grey level; several times quicker.
        cv2.resize(image, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)


CACHE = Path(".cache")
# Of the free memory, for the images of one call; the rest is for training.
SHARE_OF_MEMORY = 0.5
# Images that a thread reads before it takes others.
PORTION = 32
COLUMNS = ["record", "shard", "offset", "length", "image_offset", "image_length"]
COLUMNS += integrity.FEATURES


def pixels(folder: Path, rows: pd.DataFrame, height: int, width: int) -> np.ndarray:
    """The images of some rows of the index, in their order, stretched to one shape.

    uint8, shape (rows, height, width, 3); bilinear with antialiasing. JPEGs that are twice as
    high and wide, or more, are decoded at a half, a quarter or an eighth first. In memory where
    it fits into half of what is free, else in a file of its own that vanishes with the process.
    Raises Damaged if a shard is damaged, or the rows are not those of its records.
    """
    lengths = integrity.read(folder).set_index("shard")["bytes"].to_dict()
    if "named_group" in rows:  # of index.assigned; a record knows nothing of joined groups
        rows = rows.assign(group=rows["named_group"])
    integrity.refuse_misplaced(folder, rows, lengths)
    array = _array((len(rows), height, width, 3))
    # Digests, reading, decoding and resizing happen outside Python's lock.
    pool = ThreadPoolExecutor()
    try:
        checked = pool.submit(integrity.check, folder, rows["shard"])
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
            data = integrity.image(folder, row, file.read(row["length"]))
            stored, encoding = (row["height"], row["width"]), row["encoding"]
            scale = jpeg_reduction(stored, (height, width)) if encoding == "jpeg" else 1
            try:
                image = decoded(data, encoding, *stored, scale)
            except ValueError as error:
                where = f"{path}, record {row['record']} ({row['filename']})"
                raise Damaged(f"{where}: {error}. Run `dvc repro -f build_tfrecord`.") from None
            resize(image, array[place])


def _array(shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape)
    if size <= psutil.virtual_memory().available * SHARE_OF_MEMORY:
        return np.empty(shape, np.uint8)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=CACHE) as file:
        # A memory map that outgrows the disk ends the process without a word.
        allocate(file, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
