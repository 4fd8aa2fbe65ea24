"""TFRecord shards of checked pictures: written with their index, read back as pixels."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psutil

from trackbed.index import INDEX_TYPES
from trackbed.ingest import shards
from trackbed.ingest.shards import Shards

if TYPE_CHECKING:
    from trackbed.ingest.entries import Entry, Picture

CACHE = Path(".cache")
# Of the free memory, for the images of one call; the rest is for training.
SHARE_OF_MEMORY = 0.5


def write(
    folder: Path,
    pictures: Iterable[tuple["Entry", "Picture"]],
    classes: list[str],
    shard_bytes: int,
) -> pd.DataFrame:
    """Write shards of about `shard_bytes` and shards.csv; return the index of the records.

    The features are those of the RAILS schema (image_filename, image_raw, height, width, depth,
    label, class_name) with `group` and `encoding` beside them. The same pictures in the same
    order give the same bytes.
    """
    rows: list[dict[str, Any]] = []
    with Shards(folder, shard_bytes) as out:
        for record, (entry, picture) in enumerate(pictures):
            label = classes.index(entry.class_name)
            place = out.add(_example(entry, picture, label), picture.data)
            rows.append(
                {"record": record, "filename": entry.filename, "label": label}
                | {"class_name": entry.class_name, "part": entry.part, "group": entry.group}
                | place
                | {name: getattr(picture, name) for name in PICTURE_COLUMNS}
            )
    return pd.DataFrame(rows, columns=list(INDEX_TYPES)).astype(INDEX_TYPES)


PICTURE_COLUMNS = ("encoding", "format", "height", "width", "sha256", "perceptual_hash")


def _example(entry: "Entry", picture: "Picture", label: int) -> bytes:
    import tensorflow as tf

    def text(value: str) -> tf.train.Feature:
        return data(value.encode())

    def data(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def number(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    feature = {
        "image_filename": text(entry.filename),
        "image_raw": data(picture.data),
        "height": number(picture.height),
        "width": number(picture.width),
        "depth": number(3),
        "label": number(label),
        "class_name": text(entry.class_name),
        "group": text(entry.group),
        "encoding": text(picture.encoding),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    # The features are a map, whose order is otherwise free.
    return example.SerializeToString(deterministic=True)


def pixels(folder: Path, rows: pd.DataFrame, height: int, width: int) -> np.ndarray:
    """The images of some rows of the index, in their order, stretched to one shape.

    uint8, shape (rows, height, width, 3); bilinear with antialiasing. In memory where it fits
    into half of what is free, else in a file of its own that vanishes with the process.
    Raises Problem if a shard is damaged.
    """
    import tensorflow as tf

    shards.check(folder)
    stored = shards.read(folder)
    position = np.full(stored["records"].sum(), -1, dtype=np.int64)
    position[rows["record"]] = np.arange(len(rows))
    wanted = tf.constant(position >= 0)
    images = (
        tf.data.TFRecordDataset([str(folder / name) for name in stored["shard"]])
        .enumerate()
        .filter(lambda record, _: wanted[record])
        .map(
            lambda record, serialized: (record, resized(decoded(serialized), height, width)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .batch(64)
        .prefetch(tf.data.AUTOTUNE)
    )
    array = _array((len(rows), height, width, 3))
    for records, batch in images.as_numpy_iterator():
        array[position[records]] = batch
    return array


def decoded(serialized: Any) -> Any:
    """The image of one serialized record: uint8 tensor of shape (height, width, 3)."""
    import tensorflow as tf

    features = {
        "image_raw": tf.io.FixedLenFeature([], tf.string),
        "encoding": tf.io.FixedLenFeature([], tf.string, "raw"),
        "height": tf.io.FixedLenFeature([], tf.int64),
        "width": tf.io.FixedLenFeature([], tf.int64),
        "depth": tf.io.FixedLenFeature([], tf.int64, 3),
    }
    example = tf.io.parse_single_example(serialized, features)
    data, encoding = example["image_raw"], example["encoding"]
    height, width, depth = example["height"], example["width"], example["depth"]

    def raw() -> Any:
        stored = tf.reshape(tf.io.decode_raw(data, tf.uint8), [height, width, depth])
        return tf.broadcast_to(stored, [height, width, 3])  # depth 1 is grey

    # The accurate transform is the one that Pillow uses.
    return tf.case(
        [
            (
                encoding == "jpeg",
                lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
            ),
            (encoding == "png", lambda: tf.io.decode_png(data, channels=3)),
        ],
        default=raw,
    )


def resized(image: Any, height: int, width: int) -> Any:
    """An image stretched to height x width: uint8 in, uint8 out."""
    import tensorflow as tf

    scaled = tf.image.resize(image, (height, width), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(scaled), 0, 255), tf.uint8)


def _array(shape: tuple[int, ...]) -> np.ndarray:
    if np.prod(shape) <= psutil.virtual_memory().available * SHARE_OF_MEMORY:
        return np.empty(shape, np.uint8)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=CACHE) as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)
