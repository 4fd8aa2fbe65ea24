"""The map of the test part as data of a page: points, and all their pictures in one image."""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from trackbed.evaluation import embedding_map
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import data_uri
from trackbed.records import reader

# Pixels of all pictures together: 2 to 3 MB in the page, whatever their number.
PIXELS = 10_000_000
SMALLEST_SIDE, LARGEST_SIDE = 20, 96  # of a picture
QUALITY = 70  # of WebP, 0 to 100
SCALE = 1000  # of positions and confidences, which are whole numbers in the page


@dataclass(frozen=True)
class PointMap:
    """What the page needs.

    data: lists with an entry per point, see `point_map`; pictures: a data URI, see `sheet`.
    """

    data: dict[str, Any]
    pictures: str
    points: int
    mistakes: int
    pictured: int


def point_map(
    positions: pd.DataFrame, predictions: pd.DataFrame, records_path: Path, index: pd.DataFrame
) -> PointMap | None:
    """The map of predictions; None where there are none.

    positions: columns as in embedding_map.MAP_TABLE; predictions: see pipeline.tables. Where there
    are too many for a picture each, mistakes have one first, then others, evenly spread.
    Raises UserError where the positions are of other records.
    """
    if not positions["record"].equals(predictions["record"]):
        raise UserError(
            f"{embedding_map.MAP_TABLE.name} is of other records than predictions.csv. "
            f"{tables.EVALUATION_REMEDY}"
        )
    if predictions.empty:
        return None
    classes = tables.predicted_classes(predictions)
    labels = {name: label for label, name in enumerate(classes)}
    wrong = (predictions["true"] != predictions["predicted"]).to_numpy()
    side = picture_side(len(predictions))
    chosen = pictured(wrong, PIXELS // side**2)
    rows = index.set_index("record", drop=False).loc[predictions["record"].iloc[chosen]]
    images = reader.pixels(records_path, rows.reset_index(drop=True), side, side)
    cells = np.full(len(predictions), -1)
    cells[chosen] = np.arange(len(chosen))
    data = {
        "classes": classes,
        "x": _whole(positions["x"]),
        "y": _whole(positions["y"]),
        "true": predictions["true"].map(labels).tolist(),
        "predicted": predictions["predicted"].map(labels).tolist(),
        "confidence": _whole(predictions["confidence"]),
        "file": predictions["filename"].tolist(),
        "cell": cells.tolist(),
        "side": side,
        "columns": columns(len(chosen)),
    }
    return PointMap(data, sheet(images), len(predictions), int(wrong.sum()), len(chosen))


def picture_side(count: int) -> int:
    """Pixels of the side of each of so many pictures."""
    return int(np.clip(math.isqrt(PIXELS // max(count, 1)), SMALLEST_SIDE, LARGEST_SIDE))


def pictured(wrong: np.ndarray, most: int) -> np.ndarray:
    """Up to `most` places of points that have a picture, in rising order: int.

    wrong: bool, shape (points,); those that are wrong come first.
    """
    first, others = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    first = _spread(first, most)
    return np.sort(np.concatenate([first, _spread(others, most - len(first))]))


def columns(count: int) -> int:
    """Pictures in a row of the sheet of so many."""
    return math.ceil(math.sqrt(count))


def sheet(images: np.ndarray) -> str:
    """Square images side by side, row by row, in one WebP image, as a data URI.

    images: uint8, shape (images, side, side, 3).
    """
    count, side, wide = len(images), images.shape[1], columns(len(images))
    high = math.ceil(count / wide)
    cells = np.zeros((high * wide, side, side, 3), np.uint8)
    cells[:count] = images
    whole = cells.reshape(high, wide, side, side, 3).swapaxes(1, 2)
    file = io.BytesIO()
    picture = Image.fromarray(whole.reshape(high * side, wide * side, 3))
    picture.save(file, "WEBP", quality=QUALITY, method=4)
    return data_uri(file.getvalue(), "webp")


def _spread(places: np.ndarray, most: int) -> np.ndarray:
    count = min(len(places), most)
    return places[np.linspace(0, len(places) - 1, count).round().astype(int)]


def _whole(values: pd.Series) -> list[int]:
    return (SCALE * values).round().astype(int).tolist()
