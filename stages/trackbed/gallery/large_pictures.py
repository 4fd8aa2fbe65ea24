"""Pictures as large as one wants to look at them, as many as a page has room for."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from trackbed.gallery.sprite_sheets import webp
from trackbed.records import reader

SIDE = 320  # pixels, at most
QUALITY = 72  # of WebP, 0 to 100
AT_A_TIME = 40  # pictures


def encoded(
    records_path: Path, rows: pd.DataFrame, least: int, most_bytes: int
) -> list[bytes | None]:
    """WebP files of the first rows of the index, none enlarged, until they take `most_bytes`.

    None for a picture that has no side of more than `least` pixels. Raises as reader.pixels does.
    """
    found: list[bytes | None] = []
    room = most_bytes
    for start in range(0, len(rows), AT_A_TIME):
        some = rows.iloc[start : start + AT_A_TIME]
        for picture in _pictures(records_path, some, least):
            content = None if picture is None else webp(picture, QUALITY)
            room -= len(content or b"")
            if room < 0:
                return found
            found.append(content)
    return found


def _pictures(records_path: Path, rows: pd.DataFrame, least: int) -> list[Image.Image | None]:
    worth = (rows[["width", "height"]].max(axis=1) > least).to_numpy()
    wanted = rows[worth].reset_index(drop=True)
    squares = iter(reader.pixels(records_path, wanted, SIDE, SIDE))
    placed = zip(rows.itertuples(index=False), worth, strict=True)
    return [_unstretched(next(squares), row) if one else None for row, one in placed]


def _unstretched(square: np.ndarray, row: Any) -> Image.Image:
    """The picture of a row in its own shape, of at most SIDE pixels."""
    scale = min(1, SIDE / max(row.width, row.height))
    size = (max(1, round(scale * row.width)), max(1, round(scale * row.height)))
    return Image.fromarray(square).resize(size, Image.Resampling.BOX)
