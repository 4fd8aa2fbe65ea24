"""Fill a template, put small pictures into it, and write the page."""

import base64
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from PIL import Image

from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import data_uri, jpeg, replacing
from trackbed.records import reader
from trackbed.reporting import formatting

TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = "report.js"
# Of the report alone, in this order.
REPORT_SCRIPTS = (
    "report_contents.js",
    "report_pictures.js",
    "report_overlay.js",
    "report_gallery.js",
    "report_lightbox.js",
    "report_confusions.js",
    "report_links.js",
    "vendor/uPlot.iife.min.js",
    "report_charts.js",
    "report_training.js",
    "report_ranking.js",
    "report_threshold.js",
    "report_map.js",
)


@functools.cache
def environment(**options: Any) -> jinja2.Environment:
    """The templates of this package, with the words of `wording` as filters; do not change it.

    Sections share the compiled macros.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    words = (
        formatting.name,
        formatting.share,
        formatting.percent,
        formatting.count,
        formatting.duration,
    )
    made.filters |= {word.__name__: word for word in (*words, formatting.signed, formatting.number)}
    made.globals["plural"] = formatting.plural
    return made


def script(*further: str) -> dict[str, Any]:
    """The script that sorts, filters and enlarges, and its hash for a Content-Security-Policy.

    further: the names of scripts that follow it.
    """
    files = [TEMPLATES / name for name in (SCRIPT, *further)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return {"script": Markup(text), "script_hash": f"sha256-{digest}"}


def write_page(
    path: Path, environment: jinja2.Environment, template: str, content: dict[str, Any]
) -> None:
    """Write the filled template as UTF-8."""
    text = environment.get_template(template).render(content)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


SHEET_FILE = "seen.jpg"  # in the plots folder
RECORDS_REMEDY = "Run `dvc repro -f build_tfrecord`."
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

    Raises UserError where the predictions are of other records than the index.
    """
    rows = index.set_index("record", drop=False)
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

    row: columns as in index.INDEX_TABLE. Raises UserError as reader.stored_image does.
    """
    picture = Image.fromarray(reader.stored_image(records_path, row))
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return jpeg(picture, QUALITY)


def sheet(path: Path) -> str:
    """The sheet of what the network sees, as a data URI. Raises UserError if it is missing."""
    try:
        return data_uri(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}. Run `dvc repro -f train`.") from None


def _row(rows: pd.DataFrame, prediction: Any) -> Any:
    known = prediction.record in rows.index
    if not known or rows.at[prediction.record, "filename"] != prediction.filename:
        raise UserError(
            f"predictions.csv: record {prediction.record} is {prediction.filename}, in the index "
            f"{rows.at[prediction.record, 'filename'] if known else 'it is missing'}. "
            "Run `dvc repro evaluate`."
        )
    return rows.loc[prediction.record]


def _tuples(table: pd.DataFrame) -> Iterator[Any]:
    """The fixed columns by name; a class's column may be called like anything."""
    columns = ["record", "filename", "true", "predicted", "confidence"]
    return table[columns].itertuples(index=False)
