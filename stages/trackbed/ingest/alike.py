"""Near-duplicates: pictures that are the same but for compression, scale, exposure or a crop."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trackbed.ingest import neighbours

# How alike the pictures of two near hashes must be, and how much a hash must tell; measured on
# photographs, see docs/leak.md.
BRIGHTNESS = 16.0  # grey levels of 255
CONTRAST = 0.25  # of the larger one
ROWS = 8  # bits of 56
ROW_BITS = np.uint64(8)  # of a difference hash
LOWER_ROWS = np.uint64(2**56 - 1)

Pairs = tuple[np.ndarray, np.ndarray]
"""Positions in two tables, int, of equal shape."""


def pairs(first: pd.DataFrame, second: pd.DataFrame, distance: int) -> Iterator[Pairs]:
    """Pairs of near-duplicates, one of each table, in blocks.

    Their perceptual hashes differ in `distance` bits at most, their brightness in BRIGHTNESS and
    their contrast in the share CONTRAST at most. Where the 8 rows of a hash are nearly the same
    (ROWS), as in those of plain surfaces, of a sun above the sea or of a frame that is black from
    some row on, it says too little: such pictures are near to nothing. A pair may come more than
    once, in one table also turned round, or of a picture with itself. first, second: of an index.
    """
    sides = [neighbours.hashes(table["perceptual_hash"]) for table in (first, second)]
    places, other_places = (np.flatnonzero(telling(hashes)) for hashes in sides)
    hashes, other_hashes = sides[0][places], sides[1][other_places]
    for left, right in neighbours.pairs(hashes, other_hashes, distance):
        left, right = places[left], other_places[right]
        alike = similar(first, second, left, right)
        if alike.any():
            yield left[alike], right[alike]


def telling(hashes: np.ndarray) -> np.ndarray:
    """Which difference hashes (uint64) say enough: their rows differ in ROWS bits of 56."""
    return np.bitwise_count((hashes ^ (hashes >> ROW_BITS)) & LOWER_ROWS) >= ROWS


def similar(
    first: pd.DataFrame, second: pd.DataFrame, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Which pairs of positions are alike in brightness and contrast: bool, shape (pairs,)."""
    (brightness, other_brightness), (contrast, other_contrast) = (
        (first[name].to_numpy()[left], second[name].to_numpy()[right])
        for name in ("brightness", "contrast")
    )
    more = np.maximum(contrast, other_contrast)
    return (np.abs(brightness - other_brightness) <= BRIGHTNESS) & (
        np.abs(contrast - other_contrast) <= CONTRAST * more
    )
