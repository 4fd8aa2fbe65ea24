"""A sheet of training images as the network sees them: as stored, and as the augmentation draws."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image

from trackbed.pipeline.outputs import jpeg, replacing
from trackbed.records import reader
from trackbed.training import loop

FILE = "seen.jpg"  # in the plots folder
COLUMNS = 8  # images
DRAWS = 4  # rows below the images as they are stored
CELL = 112  # pixels; smaller images are repeated pixel by pixel, larger ones shrunk
GAP = 4  # pixels
QUALITY = 88  # of JPEG, 0 to 95

Augmentation = tuple[Sequence[keras.layers.Layer], Sequence[keras.layers.Layer]]


def chosen(labels: np.ndarray, count: int) -> np.ndarray:
    """Row numbers of up to `count` images: the first of every class, then the second of every one.

    Where there are more classes than that, they are spread evenly. labels: int, shape (images,).
    """
    occurrence = np.empty(len(labels), int)
    for label in np.unique(labels):
        occurrence[labels == label] = np.arange((labels == label).sum())
    order = np.lexsort((labels, occurrence))[: max(count, len(np.unique(labels)))]
    return order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)]


def seen(images: np.ndarray, labels: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """The images as stored and below them, if anything changes them, DRAWS times as changed.

    images: uint8, shape (images, side, side, 3); labels: float, shape (images, classes).
    Returns uint8 of shape (rows, images, side, side, 3).
    """
    changes, mixers = augmentation
    if not changes and not mixers:
        return images[None]
    batch = tf.data.Dataset.from_tensors((images.astype(np.float32), labels)).repeat(DRAWS)
    drawn = []
    for pictures, _ in loop.mixed(batch, mixers):
        for change in changes:
            pictures = change(pictures, training=True)
        drawn.append(tf.cast(pictures, tf.float32))
    changed = tf.stack(drawn).numpy()
    return np.concatenate([images[None], np.clip(changed.round(), 0, 255).astype(np.uint8)])


def of_records(
    path: Path,
    folder: Path,
    rows: pd.DataFrame,
    side: int,
    classes: int,
    augmentation: Augmentation,
) -> None:
    """Write the sheet of some rows of the index, spread over the classes, from their records."""
    shown = rows.iloc[chosen(rows["label"].to_numpy(), COLUMNS)]
    pixels = reader.pixels(folder, shown, side, side)
    write(path, pixels, shown["label"].to_numpy(), classes, augmentation)


def write(
    path: Path, images: np.ndarray, labels: np.ndarray, classes: int, augmentation: Augmentation
) -> None:
    """Write the sheet of some images (uint8; images, side, side, 3) as a JPEG file."""
    pictures = seen(images, loop.one_hot(labels, classes), augmentation)
    with replacing(path) as temporary:
        temporary.write_bytes(jpeg(montage(pictures), QUALITY))


def montage(pictures: np.ndarray) -> Image.Image:
    """Pictures of shape (rows, columns, side, side, 3) in a grid on white."""
    rows, columns, side = pictures.shape[:3]
    cell = side * (CELL // side) or CELL
    step = cell + GAP
    grid = Image.new("RGB", (columns * step - GAP, rows * step - GAP), "white")
    for row, column in np.ndindex(rows, columns):
        picture = Image.fromarray(pictures[row, column])
        way = Image.Resampling.NEAREST if cell >= side else Image.Resampling.LANCZOS
        grid.paste(picture.resize((cell, cell), way), (column * step, row * step))
    return grid
