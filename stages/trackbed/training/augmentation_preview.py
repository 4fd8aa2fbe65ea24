"""A picture of training images as stored and after random augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from trackbed.networks.augmentation import Augmentation
from trackbed.pipeline import index
from trackbed.pipeline.outputs import jpeg, replacing
from trackbed.records import reader

if TYPE_CHECKING:
    import pandas as pd

FILE = "seen.jpg"  # in the plots folder
COLUMNS = 8  # images
VERSIONS = 4  # rows below the stored images
CELL = 112  # pixels; smaller images are enlarged by a whole number, larger ones shrunk
GAP = 4  # pixels
QUALITY = 88  # of JPEG, 0 to 95


def write(plots_path: Path, pictures: np.ndarray) -> None:
    """Write pictures of shape (rows, columns, side, side, 3) in a grid as FILE."""
    with replacing(plots_path / FILE) as temporary:
        temporary.write_bytes(jpeg(montage(pictures), QUALITY))


def of_records(
    records_path: Path, rows: pd.DataFrame, augmentation: Augmentation, side: int, classes: int
) -> np.ndarray:
    """Some images of the rows of the index, spread over the classes, see `augmented`.

    side: of the images, in pixels.
    """
    rows = rows.iloc[index.spread_over_classes(rows["label"].to_numpy(), COLUMNS)]
    images = reader.pixels(records_path, rows, side, side)
    labels = np.eye(classes, dtype=np.float32)[rows["label"].to_numpy()]
    return augmented(images, labels, augmentation)


def augmented(images: np.ndarray, labels: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """The images as stored and, if there is an augmentation, VERSIONS random versions of each.

    images: uint8, shape (images, side, side, 3); labels: float, shape (images, classes).
    Returns uint8 of shape (rows, images, side, side, 3).
    """
    if not any(augmentation):
        return images[None]
    import tensorflow as tf

    from trackbed.training import loop

    geometry = augmentation.geometry
    moved = [geometry.changed(images, number) if geometry else images for number in range(VERSIONS)]
    batches = tf.data.Dataset.from_tensor_slices((np.float32(moved), np.stack([labels] * VERSIONS)))
    versions = []
    for pixels, _ in loop.mixed(batches, augmentation.mixers):
        for layer in augmentation.layers:
            pixels = layer(pixels, training=True)
        versions.append(tf.cast(pixels, tf.float32))
    changed = tf.stack(versions).numpy()
    return np.concatenate([images[None], np.clip(changed.round(), 0, 255).astype(np.uint8)])


def montage(pictures: np.ndarray) -> Image.Image:
    """Pictures of shape (rows, columns, side, side, 3) in a grid on white."""
    rows, columns, side = pictures.shape[:3]
    cell = side * (CELL // side) or CELL
    step = cell + GAP
    grid = Image.new("RGB", (columns * step - GAP, rows * step - GAP), "white")
    for row, column in np.ndindex(rows, columns):
        picture = Image.fromarray(pictures[row, column])
        method = Image.Resampling.NEAREST if cell >= side else Image.Resampling.LANCZOS
        grid.paste(picture.resize((cell, cell), method), (column * step, row * step))
    return grid
