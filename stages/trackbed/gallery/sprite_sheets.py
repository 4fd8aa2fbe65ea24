"""Small pictures side by side in a few images, which a page decodes as it needs them."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from trackbed.gallery import packing
from trackbed.pipeline.outputs import data_uri

SMALLEST_SIDE, LARGEST_SIDE = 16, 128  # pixels of a small picture
SHEET_PIXELS = 500_000  # of one image: decoded within a few milliseconds
# WebP is smaller than JPEG of the same look: 660 bytes against 810 for a photograph of 64 pixels,
# 140 against 180 for a traffic sign of 28. Method 6 saves another 5 % and takes three times longer.
QUALITY, METHOD = 60, 4
SPARE = 0.97  # of the side, when the first try was too large
Pixels = Callable[[int], np.ndarray]
"""A side to pictures of that height and width: uint8, shape (pictures, side, side, 3)."""


@dataclass(frozen=True)
class SpriteSheets:
    """Square cells in rows from the top left, `columns` wide; all but the last sheet are full.

    pictures: the sheets as data URIs; per_sheet: cells of each.
    """

    side: int
    columns: int
    per_sheet: int
    pictures: list[str]

    def content(self) -> dict[str, Any]:
        """What a page needs to find a cell."""
        return {
            "side": self.side,
            "columns": self.columns,
            "per": self.per_sheet,
            "pictures": self.pictures,
        }


def packed(
    pixels: Pixels, count: int, most_bytes: int, largest: int = LARGEST_SIDE
) -> SpriteSheets:
    """So many pictures in sheets of `most_bytes` together, the side as large as that allows.

    Even at SMALLEST_SIDE more pictures than most_bytes / 100 may take more.
    """
    side = int(np.clip(math.isqrt(6 * most_bytes // max(count, 1)), SMALLEST_SIDE, largest))
    while True:
        found = sheets(pixels(side))
        size = sum(map(len, found))
        if size <= most_bytes or side == SMALLEST_SIDE:
            columns, per_sheet = layout(side)
            return SpriteSheets(side, columns, per_sheet, [data_uri(one, "webp") for one in found])
        side = max(SMALLEST_SIDE, int(SPARE * side * math.sqrt(most_bytes / size)))


def aspects(rows: pd.DataFrame) -> str | None:
    """Width by height of each picture, times 100, packed; None where all are squares."""
    found = (100 * rows["width"] / rows["height"]).round().astype(int)
    return None if (found == 100).all() else packing.numbers(found)


def layout(side: int) -> tuple[int, int]:
    """Columns of a sheet of cells of this side, and its cells."""
    columns = max(1, math.isqrt(SHEET_PIXELS) // side)
    return columns, columns**2


def sheets(images: np.ndarray) -> list[bytes]:
    """Square images side by side, as WebP files. images: uint8, (images, side, side, 3)."""
    columns, per_sheet = layout(images.shape[1])
    starts = range(0, len(images), per_sheet)
    return [_sheet(images[start : start + per_sheet], columns) for start in starts]


def _sheet(images: np.ndarray, columns: int) -> bytes:
    count, side = images.shape[:2]
    wide, high = min(columns, count), math.ceil(count / columns)
    cells = np.zeros((high * wide, side, side, 3), np.uint8)
    cells[:count] = images
    whole = cells.reshape(high, wide, side, side, 3).swapaxes(1, 2)
    return webp(Image.fromarray(whole.reshape(high * side, wide * side, 3)), QUALITY)


def webp(picture: Image.Image, quality: int) -> bytes:
    """A picture as the bytes of a WebP file."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=METHOD)
    return file.getvalue()
