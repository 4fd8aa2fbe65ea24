"""Pictures of records, small, as data that stands inside a page."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from trackbed.ingest import raster
from trackbed.outputs import jpeg
from trackbed.problems import Problem

REMEDY = "Run `dvc repro -f build_tfrecord`."
SIDE = 160  # pixels; shown smaller, for sharp screens
LARGE_SIDE, MOST_LARGE = 320, 40  # to be enlarged in the page; of more pictures it grows too big
QUALITY = 82  # of JPEG, 0 to 95


@dataclass(frozen=True)
class Card:
    """A predicted test image: its picture as a data URI, the names of its classes, its file."""

    picture: str
    filename: str
    true: str
    predicted: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the prediction is the true class."""
        return self.true == self.predicted


def cards(
    records_path: Path, index: pd.DataFrame, predictions: pd.DataFrame, side: int = SIDE
) -> list[Card]:
    """The predictions with their pictures, at most `side` pixels wide and high.

    Raises Problem where the predictions are of other records than the index.
    """
    rows = index.set_index("record")
    return [
        Card(
            data_uri(thumbnail(records_path, _row(rows, prediction), side)),
            prediction.filename,
            prediction.true,
            prediction.predicted,
            prediction.confidence,
        )
        for prediction in _tuples(predictions)
    ]


def enlarged_side(pictures: int) -> int:
    """Pixels of each of so many pictures that a click enlarges."""
    return LARGE_SIDE if pictures <= MOST_LARGE else SIDE


def thumbnail(records_path: Path, row: Any, side: int) -> bytes:
    """The picture of a row of the index as a JPEG file of at most `side` pixels; never enlarged.

    row: attributes as in index.INDEX_TYPES. Raises Problem for a shard that is missing or does
    not hold the picture.
    """
    path = records_path / row.shard
    try:
        with path.open("rb") as shard:
            shard.seek(row.image_offset)
            data = shard.read(row.image_length)
            pixels = raster.decoded(data, row.encoding, row.height, row.width)
            picture = Image.fromarray(pixels)
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file. {REMEDY}") from None
    except (OSError, ValueError) as error:
        raise Problem(
            f"{path}: no readable {row.encoding} picture of {row.image_length} bytes at byte "
            f"{row.image_offset} ({row.filename}). {REMEDY}"
        ) from error
    return jpeg(picture, QUALITY)


def sheet(path: Path) -> str:
    """The sheet of what the network sees, as a data URI. Raises Problem if it is missing."""
    try:
        return data_uri(path.read_bytes())
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}. Run `dvc repro -f train`.") from None


def data_uri(jpeg: bytes) -> str:
    """The file as an address that holds it whole."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _row(rows: pd.DataFrame, prediction: Any) -> Any:
    known = prediction.record in rows.index
    if not known or rows.at[prediction.record, "filename"] != prediction.filename:
        raise Problem(
            f"predictions.csv: record {prediction.record} is {prediction.filename}, in the index "
            f"{rows.at[prediction.record, 'filename'] if known else 'it is missing'}. "
            "Run `dvc repro evaluate`."
        )
    return rows.loc[prediction.record]


def _tuples(table: pd.DataFrame) -> Iterator[Any]:
    """The fixed columns by name; a class's column may be called like anything."""
    columns = ["record", "filename", "true", "predicted", "confidence"]
    return table[columns].itertuples(index=False)
