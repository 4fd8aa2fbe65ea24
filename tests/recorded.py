"""Small pictures, checked, and shards of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from trackbed.dataset import recording
from trackbed.dataset.schema import Entry, Picture, RawPixels
from trackbed.records import resizing, tfrecord

MEASURES = (128.0, 40.0, 500.0)  # brightness, contrast, sharpness
RANDOM = np.random.default_rng(0)


def stored(pixels, encoding):
    """A picture as the check of the source hands it over."""
    data = pixels.tobytes()
    if encoding != "raw":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, encoding)
        data = buffer.getvalue()
    height, width, _ = pixels.shape
    digests = ("0" * 64, "0" * 16, "0" * 32, "A" * 192)
    return Picture(data, encoding, encoding.upper(), height, width, *digests, *MEASURES)


def pixels_of(picture):
    """The pixels of a picture that was checked: uint8, shape (height, width, 3)."""
    return resizing.decoded(picture.data, picture.encoding, picture.height, picture.width)


def random_pictures(count):
    """Entries, their pictures in turning encodings, and the pixels that were put in."""
    entries, pictures, images = [], [], []
    for number in range(count):
        pixels = RANDOM.integers(0, 256, (8 + number, 12, 3), dtype=np.uint8)
        name = "AB"[number % 2]
        entries.append(Entry(f"{name}/{number:02d}.png", name, "", f"g{number // 3}", Path("x")))
        pictures.append(stored(pixels, ("raw", "png")[number % 2]))
        images.append(pixels)
    return entries, pictures, images


def written(folder, count=7, shard_bytes=2000):
    """The index of written records, and the pixels that were put in."""
    entries, pictures, images = random_pictures(count)
    pairs = zip(entries, pictures, strict=True)
    return recording.write(folder, pairs, ["A", "B"], shard_bytes), images


def raw_entry(path, pixels, height, width, depth, before=b""):
    """An entry whose raw pixels lie in a TFRecord, which is written behind other bytes."""
    data = tfrecord.example({"image_raw": pixels})
    header, footer = tfrecord.frame(data)
    path.write_bytes(before + header + data + footer + b"after")
    length = len(data) + tfrecord.FRAME_BYTES
    raw = RawPixels(len(before), length, len(pixels), height, width, depth)
    return Entry(path.name, "A", "", "", path, raw=raw)
