"""What a page knows about every test picture, as one block of JSON."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from trackbed.evaluation import embedding_map, slices
from trackbed.gallery import sprite_sheets
from trackbed.pipeline import index, tables
from trackbed.pipeline.errors import UserError
from trackbed.records import reader

SCALE = 1000  # of confidences and positions, which are whole numbers in the page
LEVELS = 255  # of a probability, in a byte
MOST_PROBABILITIES = 20  # of a picture, the highest; and that of its true class
SIDES = (sprite_sheets.SMALLEST_SIDE, sprite_sheets.LARGEST_SIDE)
SHEET_BYTES = 1_800_000  # of all small pictures; in the page they take a third more


@dataclass(frozen=True)
class Tested:
    """The test pictures, in the order of predictions.csv.

    predictions: see pipeline.tables; rows: of the index; positions: of the map; findings: of the
    index; threshold: the confidence below which a prediction is refused, or None.
    """

    predictions: pd.DataFrame
    rows: pd.DataFrame
    positions: pd.DataFrame
    findings: pd.DataFrame
    threshold: float | None

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their labels."""
        return tables.predicted_classes(self.predictions)

    @property
    def wrong(self) -> np.ndarray:
        """Which predictions are wrong: bool, shape (pictures,)."""
        return (self.predictions["true"] != self.predictions["predicted"]).to_numpy()

    @property
    def order(self) -> np.ndarray:
        """Places of the pictures as the gallery first shows them: int, shape (pictures,).

        The surest mistakes first, behind them what is right, the least sure first.
        """
        sure, wrong = whole(self.predictions["confidence"]), self.wrong
        return np.lexsort((np.where(wrong, -1, 1) * sure, ~wrong))


def tested(
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    positions: pd.DataFrame,
    findings: pd.DataFrame,
    threshold: float | None,
) -> Tested:
    """The test pictures of an index. Raises UserError where the tables are of other records."""
    known = table.set_index("record", drop=False)
    rows = known.reindex(predictions["record"])
    other = rows["filename"].to_numpy() != predictions["filename"].to_numpy()
    if other.any():
        first = predictions.iloc[int(other.argmax())]
        raise UserError(
            f"predictions.csv: record {first['record']} is {first['filename']}, in the index "
            f"{known['filename'].get(first['record'], 'it is missing')}. "
            f"{tables.EVALUATION_REMEDY}"
        )
    if not positions["record"].equals(predictions["record"]):
        raise UserError(
            f"{embedding_map.MAP_TABLE.name} is of other records than predictions.csv. "
            f"{tables.EVALUATION_REMEDY}"
        )
    rows = rows.astype(table.dtypes).reset_index(drop=True)
    return Tested(predictions, rows, positions, findings, threshold)


def content(part: Tested, records_path: Path) -> dict[str, Any]:
    """The block: lists with an entry per picture, and what report_pictures.js unpacks.

    cell: the place of its small picture in the sheets.
    """
    predictions = part.predictions
    labels = {name: label for label, name in enumerate(part.classes)}
    order = part.order
    cells = np.empty(len(order), int)
    cells[order] = np.arange(len(order))
    return {
        "classes": part.classes,
        "file": predictions["filename"].tolist(),
        **groups(predictions),
        "true": predictions["true"].map(labels).tolist(),
        "predicted": predictions["predicted"].map(labels).tolist(),
        "confidence": whole(predictions["confidence"]).tolist(),
        "probabilities": packed_probabilities(part),
        "threshold": None if part.threshold is None else round(SCALE * part.threshold),
        "x": whole(part.positions["x"]).tolist(),
        "y": whole(part.positions["y"]).tolist(),
        "slices": slice_members(part.rows),
        "findings": findings(part),
        "aspect": _aspects(part.rows),
        "cell": cells.tolist(),
        "sheets": small_pictures(part.rows.iloc[order], records_path, SHEET_BYTES).content(),
    }


def small_pictures(
    rows: pd.DataFrame, records_path: Path, most_bytes: int
) -> sprite_sheets.SpriteSheets:
    """The pictures of rows of the index, stretched to squares; hardly any is enlarged."""
    placed = rows.reset_index(drop=True)
    sides = placed[["width", "height"]].max(axis=1)
    largest = int(np.clip(sides.quantile(0.9) if len(rows) else 1, *SIDES))
    return sprite_sheets.packed(
        lambda side: reader.pixels(records_path, placed, side, side),
        len(placed),
        most_bytes,
        largest,
    )


def script(block: dict[str, Any]) -> Markup:
    """The block as the content of a script element of type application/json."""
    return htmlsafe_json_dumps(
        block, dumps=json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def packed_probabilities(part: Tested) -> dict[str, str]:
    """The probabilities that are not 0 in a byte: of each picture their number, labels, values.

    As base64 of uint8, of little-endian uint16 and of uint8. Of more than MOST_PROBABILITIES the
    highest ones stay, and that of the true class.
    """
    columns = [f"{tables.PROBABILITY_PREFIX}{name}" for name in part.classes]
    shares = part.predictions[columns].to_numpy(float)
    levels = np.rint(LEVELS * shares).astype(np.uint8)
    if shares.shape[1] > MOST_PROBABILITIES:
        least = -np.partition(-shares, MOST_PROBABILITIES - 1, axis=1)[:, [MOST_PROBABILITIES - 1]]
        true = np.array(part.classes, object) == part.predictions["true"].to_numpy()[:, np.newaxis]
        levels[(shares < least) & ~true] = 0
    _, places = np.nonzero(levels)
    return {
        "count": based(np.minimum((levels > 0).sum(axis=1), LEVELS).astype(np.uint8)),
        "labels": based(places.astype("<u2")),
        "values": based(levels[levels > 0]),
    }


def based(values: np.ndarray) -> str:
    """The bytes of an array as base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def whole(values: pd.Series) -> np.ndarray:
    """Numbers 0 to 1 as whole numbers 0 to SCALE: int, of the same shape."""
    return np.rint(SCALE * values.to_numpy(float)).astype(int)


def groups(predictions: pd.DataFrame) -> dict[str, Any]:
    """Names of groups and the place of each picture's; None where each is a group of its own."""
    if predictions["group"].is_unique:
        return {"groups": None, "group": None}
    numbers, names = pd.factorize(predictions["group"])
    return {"groups": list(names), "group": numbers.tolist()}


def slice_members(rows: pd.DataFrame) -> dict[str, Any]:
    """Names of the slices of each kind, and a digit per picture: which of them it is in."""
    found: dict[str, Any] = {}
    if not len(rows):
        return found
    for kind, name, members in slices.thirds(rows):
        one = found.setdefault(kind, {"names": [], "of": np.zeros(len(rows), int)})
        one["of"][members] = len(one["names"])
        one["names"].append(name)
    return {
        kind: {"names": one["names"], "of": "".join(map(str, one["of"]))}
        for kind, one in found.items()
    }


def findings(part: Tested) -> dict[str, list[int]]:
    """The pictures of each kind of finding, in the order of index.FINDING_TYPES."""
    places = dict(zip(part.predictions["record"], range(len(part.predictions)), strict=True))
    found: dict[str, list[int]] = {}
    for kind in index.FINDING_TYPES:
        of_kind = part.findings[part.findings["finding"] == kind]
        records = {*of_kind["record"], *of_kind["other_record"]}
        if members := sorted(places[record] for record in records if record in places):
            found[kind] = members
    return found


def _aspects(rows: pd.DataFrame) -> list[int] | None:
    """Width by height of each picture, times 100; None where all are squares."""
    aspects = (100 * rows["width"] / rows["height"]).round().astype(int)
    return None if (aspects == 100).all() else aspects.tolist()
