"""What the lightbox shows beside the small picture, of the pictures that one looks at first."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from trackbed.gallery import large_pictures, packing, sprite_sheets, training_neighbours
from trackbed.gallery.predicted_pictures import PredictedPictures
from trackbed.inference import class_activation, head
from trackbed.inference.exported_model import EMBEDDING, FEATURES, ExportedModel
from trackbed.pipeline.outputs import data_uri
from trackbed.records import reader

PICTURES = 240  # at most
BATCH = 32  # pictures at a time in the model
MAP_SIDE = 14  # cells of a map in the page, at most
LEVELS = 255  # of a map
NEIGHBOUR_SIDE = 72  # pixels, at most
# Of files in the page, before base64 adds a third.
LARGE_BYTES, NEIGHBOUR_BYTES = 520_000, 260_000


@dataclass(frozen=True)
class Project:
    """Where the pictures come from: folders, and the index with its parts."""

    records: Path
    models: Path
    exported: Path
    table: pd.DataFrame


def content(part: PredictedPictures, project: Project, least: int) -> dict[str, Any]:
    """Large pictures, maps and neighbours of the first pictures of the gallery.

    least: side of the small pictures, in pixels; one that has no more has no large picture.
    """
    order = part.order[:PICTURES]
    rows, records = part.rows.iloc[order].reset_index(drop=True), project.records
    large = large_pictures.encoded(records, rows, least, LARGE_BYTES)
    found: dict[str, Any] = {
        "row": packing.numbers(order),
        "pictures": [one and data_uri(one, "webp") for one in large],
    }
    if rows.empty:
        return found
    model = ExportedModel.load(project.exported)
    images = reader.pixels(records, rows, model.side, model.side)
    features, embeddings = outputs(model, images)
    if features is not None and (dense := head.read(model)):
        gradients = (
            class_activation.gradient(dense, embeddings, labels[order])
            for labels in (part.predicted, part.true)
        )
        maps = [class_activation.maps(features, one) for one in gradients]
        found["maps"] = packed_maps(maps)
    neighbours = training_neighbours.nearest(model, project.models, project.table, embeddings)
    if neighbours:
        found["neighbours"] = _neighbours(records, neighbours)
    return found


def outputs(model: ExportedModel, images: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """The map that is pooled, None where a model has none, and the embeddings; float32."""
    names = [EMBEDDING, FEATURES] if model.has_features else [EMBEDDING]
    starts = range(0, len(images), BATCH)
    some = [model.outputs(images[start : start + BATCH], *names) for start in starts]
    embeddings, *features = (np.concatenate(part) for part in zip(*some, strict=True))
    return (features[0] if features else None), embeddings


def packed_maps(maps: Sequence[np.ndarray]) -> dict[str, Any]:
    """Maps of the same pictures for several classes: a byte per cell, picture by picture.

    maps: float32, shape (pictures, height, width) each. What is below 0 becomes 0; the highest
    value of all maps of a picture becomes LEVELS, so that their colours compare.
    """
    values = np.maximum(np.stack(maps, axis=1), 0)
    values = values.reshape(-1, *values.shape[2:])
    high, wide = (min(side, MAP_SIDE) for side in values.shape[1:])
    small = [cv2.resize(one, (wide, high), interpolation=cv2.INTER_AREA) for one in values]
    cells = np.stack(small).reshape(len(maps[0]), -1)
    levels = LEVELS * cells / np.maximum(cells.max(axis=1, keepdims=True), 1e-12)
    data = base64.b64encode(np.rint(levels).astype(np.uint8).tobytes()).decode()
    return {"high": high, "wide": wide, "classes": len(maps), "values": data}


def _neighbours(records_path: Path, found: training_neighbours.Neighbours) -> dict[str, Any]:
    placed = found.rows.reset_index(drop=True)
    small = sprite_sheets.packed(
        lambda side: reader.pixels(records_path, placed, side, side),
        len(placed),
        NEIGHBOUR_BYTES,
        NEIGHBOUR_SIDE,
    )
    return {
        "count": found.places.shape[1],
        "places": packing.numbers(found.places.ravel()),
        "distances": packing.numbers(np.rint(1000 * found.distances.ravel()).astype(int)),
        "file": packing.names(placed["filename"]),
        "true": packing.numbers(placed["label"]),
        "aspect": sprite_sheets.aspects(placed),
        "sheets": small.content(),
    }
