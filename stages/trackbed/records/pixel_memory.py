"""Memory for the pixels of many images, which is slow to be had: its first use costs the most."""

import math
import mmap
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from trackbed.pipeline.outputs import allocate

CACHE = Path(".cache")
# Of the free memory, for the images of one call; the rest is for training.
SHARE_OF_MEMORY = 0.5
# NumPy asks for huge pages from here on. Where free memory lies scattered the kernel first moves
# other pages out of the way for each: 400 MB took 0.7 to 0.9 s, populated small pages 0.1 s.
LARGE_BYTES = 2**22
# madvise(2), of Linux 5.14 and later; Python's module names it only in later versions.
MADV_POPULATE_WRITE = 23


@dataclass(frozen=True)
class PixelMemory:
    """An array without content, and the pages that it lies in where they can be had in advance."""

    array: np.ndarray
    pages: mmap.mmap | None = None

    def populate(self, start: int, stop: int) -> None:
        """Have the pages of some rows at once, which are to be written next.

        The kernel then clears them in one go, several times quicker than one after another at the
        first write to each. Where it cannot, they come at the first write.
        """
        if self.pages is None:
            return
        row_bytes = self.array.strides[0]
        first = start * row_bytes // mmap.PAGESIZE * mmap.PAGESIZE
        with suppress(OSError):
            self.pages.madvise(MADV_POPULATE_WRITE, first, stop * row_bytes - first)


def allocated(shape: tuple[int, ...]) -> PixelMemory:
    """Room for uint8 values.

    In memory where it fits into half of what is free, else in a file of its own that vanishes with
    the process. Raises UserError where the disk is full.
    """
    size = math.prod(shape)
    if size > psutil.virtual_memory().available * SHARE_OF_MEMORY:
        return PixelMemory(_in_a_file(shape, size))
    if size < LARGE_BYTES or not hasattr(mmap, "MAP_POPULATE"):  # on Linux alone
        return PixelMemory(np.empty(shape, np.uint8))
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return PixelMemory(np.frombuffer(pages, np.uint8).reshape(shape), pages)


def _in_a_file(shape: tuple[int, ...], size: int) -> np.ndarray:
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=CACHE) as file:
        # A memory map that outgrows the disk ends the process without a word.
        allocate(file, size)
        return np.memmap(file, np.uint8, "w+", shape=shape)
