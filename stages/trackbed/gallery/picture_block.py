"""What a page knows about every test picture, as one block of JSON."""

import json
from typing import Any

import numpy as np
import pandas as pd
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from trackbed.evaluation import slices
from trackbed.gallery import closer_look, packing, sprite_sheets
from trackbed.gallery.closer_look import Project
from trackbed.gallery.predicted_pictures import SCALE, PredictedPictures, whole
from trackbed.pipeline import index, tables
from trackbed.records import reader

LEVELS = 255  # of a probability, in a byte
MOST_PROBABILITIES = 10  # of a picture, the highest; and that of its true class
SIDES = (sprite_sheets.SMALLEST_SIDE, sprite_sheets.LARGEST_SIDE)
# Characters of the block; the rest of a page of 43 classes takes up to 1.5 million.
BLOCK_LENGTH = 3_400_000
CLOSER_LENGTH = 1_150_000  # of them for large pictures, maps and neighbours, at most
MOST_SHEET_BYTES = 1_500_000
BASE64 = 0.75  # bytes in a character


def content(part: PredictedPictures, project: Project) -> dict[str, Any]:
    """The block: packed lists with an entry per picture, see report_pictures.js.

    cell: the place of its small picture in the sheets. closer: see closer_look.
    """
    order = part.order
    cells = np.empty(len(order), int)
    cells[order] = np.arange(len(order))
    block = {
        "classes": part.classes,
        "file": packing.names(part.predictions["filename"]),
        **groups(part.predictions),
        "true": packing.numbers(part.true),
        "predicted": packing.numbers(part.predicted),
        "confidence": packing.numbers(part.thousandths),
        "probabilities": packed_probabilities(part),
        "threshold": None if part.threshold is None else round(SCALE * part.threshold),
        "x": packing.numbers(whole(part.positions["x"])),
        "y": packing.numbers(whole(part.positions["y"])),
        "slices": slice_members(part.rows),
        "findings": findings(part),
        "width": packing.numbers(part.rows["width"]),
        "height": packing.numbers(part.rows["height"]),
        "cell": packing.numbers(cells),
    }
    room = BASE64 * (BLOCK_LENGTH - CLOSER_LENGTH - len(script(block)))
    small = small_pictures(part.rows.iloc[order], project, min(int(room), MOST_SHEET_BYTES))
    closer = closer_look.content(part, project, least=small.side)
    return block | {"sheets": small.content(), "closer": closer}


def small_pictures(
    rows: pd.DataFrame, project: Project, most_bytes: int
) -> sprite_sheets.SpriteSheets:
    """The pictures of rows of the index, stretched to squares; hardly any is enlarged."""
    placed = rows.reset_index(drop=True)
    sides = placed[["width", "height"]].max(axis=1)
    largest = int(np.clip(sides.quantile(0.9) if len(rows) else 1, *SIDES))
    return sprite_sheets.packed(
        lambda side: reader.pixels(project.records, placed, side, side),
        len(placed),
        most_bytes,
        largest,
    )


def script(block: dict[str, Any]) -> Markup:
    """The block as the content of a script element of type application/json."""
    return htmlsafe_json_dumps(
        block, dumps=json.dumps, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def packed_probabilities(part: PredictedPictures) -> dict[str, str]:
    """The probabilities that are not 0 in a byte: of each picture their number, labels, values.

    Of more than MOST_PROBABILITIES the highest ones stay, and that of the true class.
    """
    shares = tables.probabilities(part.predictions)
    levels = np.rint(LEVELS * shares).astype(int)
    if shares.shape[1] > MOST_PROBABILITIES:
        least = -np.partition(-shares, MOST_PROBABILITIES - 1, axis=1)[:, [MOST_PROBABILITIES - 1]]
        true = np.arange(shares.shape[1]) == part.true[:, np.newaxis]
        levels[(shares < least) & ~true] = 0
    _, labels = np.nonzero(levels)
    return {
        "count": packing.numbers((levels > 0).sum(axis=1)),
        "labels": packing.numbers(labels),
        "values": packing.numbers(levels[levels > 0]),
    }


def groups(predictions: pd.DataFrame) -> dict[str, Any]:
    """Names of groups and the place of each picture's; None where each is a group of its own."""
    if predictions["group"].is_unique:
        return {"groups": None, "group": None}
    numbers, names = pd.factorize(predictions["group"])
    return {"groups": packing.names(names), "group": packing.numbers(numbers)}


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


def findings(part: PredictedPictures) -> dict[str, list[int]]:
    """The pictures of each kind of finding, in the order of index.FINDING_TYPES."""
    places = dict(zip(part.predictions["record"], range(len(part.predictions)), strict=True))
    found: dict[str, list[int]] = {}
    for kind in index.FINDING_TYPES:
        of_kind = part.findings[part.findings["finding"] == kind]
        records = {*of_kind["record"], *of_kind["other_record"]}
        if members := sorted(places[record] for record in records if record in places):
            found[kind] = members
    return found
