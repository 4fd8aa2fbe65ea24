"""The pixels of stored pictures, decoded and resized, out of their shards."""

import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
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
    with Reading(folder, rows, height, width) as reading:
        return reading.array


class Reading:
    """The images of some rows of an index, which threads read in the background.

    `order`: the numbers of the rows, from 0, as they will be needed; of equal ones the first
    counts, and missing ones come last. None: as they lie in the shards.

    A context: entering it waits until the shards are found to be whole, leaving it for all images.
    After an error it ends the threads instead, and raises the error of the reading where that was
    the cause: TensorFlow, which takes images in a thread of its own, hides it behind another one.
    """

    def __init__(
        self,
        folder: Path,
        rows: pd.DataFrame,
        height: int,
        width: int,
        order: np.ndarray | None = None,
    ) -> None:
        """Start to read. Raises Damaged if the rows are not those of the records."""
        lengths = SHARDS_TABLE.read(folder).set_index("shard")["bytes"].to_dict()
        if "named_group" in rows:  # of index.assigned; a record knows nothing of joined groups
            rows = rows.assign(group=rows["named_group"])
        integrity.refuse_misplaced(folder, rows, lengths)
        self._memory = pixel_memory.allocated((len(rows), height, width, 3))
        self._failure: Exception | None = None
        placed = rows.reset_index(drop=True).sort_values(["shard", "offset"])
        wanted = placed.index.to_numpy() if order is None else first_uses(order, len(rows))
        # Digests, reading, decoding and resizing happen outside Python's lock, for which more
        # threads than cores would only queue.
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._checked = self._pool.submit(integrity.check, folder, rows["shard"])
        self._chunk = np.empty(len(rows), int)  # the number of every row's
        self._chunk[wanted] = np.arange(len(rows)) // CHUNK_IMAGES
        self._read = [
            self._pool.submit(_fill, self._memory, folder, chunk)
            for _, chunk in placed.groupby(self._chunk[placed.index])
        ]

    @property
    def array(self) -> np.ndarray:
        """All images; those that are yet to be read have any values."""
        return self._memory.array

    def part(self, start: int, stop: int) -> "Images":
        """The images of rows that follow one another, by their numbers from 0."""
        return Images(self, self.array[start:stop], np.arange(start, stop))

    def wait(self, rows: np.ndarray) -> None:
        """Wait for rows by their numbers. Raises Damaged as `pixels` does."""
        try:
            # A damaged shard is reported before a picture in it that cannot be decoded.
            self._checked.result()
            for number in np.unique(self._chunk[rows]):
                self._read[number].result()
        except Exception as error:
            self._failure = error
            raise

    def __enter__(self) -> "Reading":
        try:
            self.wait(np.empty(0, int))
        except Exception:
            self._pool.shutdown(cancel_futures=True)
            raise
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.wait(np.arange(len(self._chunk)))
        finally:
            self._pool.shutdown(cancel_futures=True)
        if isinstance(error, Exception) and self._failure not in (None, error):
            raise self._failure from None


@dataclass(frozen=True)
class Images:
    """Images of a Reading in place of an array: uint8, shape (images, height, width, 3).

    Taking some of them, by a slice, a number or numbers, waits for those.
    """

    reading: Reading
    array: np.ndarray  # without those that are yet to be read
    rows: np.ndarray  # their numbers in the reading

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """As of an array."""
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype:
        """As of an array."""
        return self.array.dtype

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> np.ndarray:
        self.reading.wait(self.rows[index])
        return self.array[index]


def first_uses(order: np.ndarray, rows: int) -> np.ndarray:
    """Every number below `rows` once: as they first come in an order, then the missing ones."""
    numbers, places = np.unique(order, return_index=True)
    return np.concatenate([order[np.sort(places)], np.setdiff1d(np.arange(rows), numbers)])


def _fill(memory: PixelMemory, folder: Path, chunk: pd.DataFrame) -> None:
    """Put the image of every row of a chunk at its number; no other record is read.

    chunk: in the order of the shards. Raises Damaged.
    """
    _populate(memory, chunk.index)
    # Lists, because a name per row and column takes as long as half of the decoding.
    columns = [chunk[name].tolist() for name in COLUMNS]
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*columns, strict=True)]
    placed = zip(chunk.index, rows, strict=True)
    for shard, of_shard in itertools.groupby(placed, lambda one: one[1]["shard"]):
        with (folder / shard).open("rb", buffering=0) as file:
            for place, row in of_shard:
                target = memory.array[place]
                resizing.resize(_image(file, folder, row, target.shape[:2]), target)


def _populate(memory: PixelMemory, places: pd.Index) -> None:
    start, stop = places.min(), places.max() + 1
    if stop - start == len(places):
        memory.populate(start, stop)
    else:
        for place in places:
            memory.populate(place, place + 1)


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
