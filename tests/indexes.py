"""Index tables for what is found in the data, of records that are all ordinary unless changed."""

import base64

import numpy as np
import pandas as pd


def thumbnail(pixels):
    """As in an index: 12 x 12 numbers from 0 to 255."""
    return base64.b64encode(np.asarray(pixels, np.uint8).tobytes(), b"._").decode()


# The same for all: then hashes alone decide which of them look alike.
THUMBNAIL = thumbnail(np.random.default_rng(0).integers(0, 256, (12, 12)))
ORDINARY = {
    **{"class_name": "A", "part": "train", "width": 150, "height": 150, "format": "JPEG"},
    **{"brightness": 120.0, "contrast": 50.0, "sharpness": 5000.0},
    "thumbnail": THUMBNAIL,
}


def indexed(*rows):
    """One record per row, a dict of what is not ordinary; hashes and groups of their own."""
    made = [
        ORDINARY
        | {"record": number, "filename": f"{number}.jpg", "group": f"{number}"}
        | {"pixel_hash": f"{number:032x}", "perceptual_hash": f"{number * 0x9E3779B97F4A7C15:x}"}
        | row
        for number, row in enumerate(rows)
    ]
    table = pd.DataFrame(made)
    table["perceptual_hash"] = table["perceptual_hash"].str[-16:].str.zfill(16)
    return table


HASHES = np.random.default_rng(0).integers(0, 2**63, 20, dtype=np.uint64).tolist()  # far apart


def drives(*rows, **columns):
    """An index of rows of file name, group and hash; the thumbnails are equal."""
    made = [
        {"filename": name, "group": group, "perceptual_hash": f"{number:016x}"}
        for name, group, number in rows
    ]
    return indexed(*made).assign(**columns)


DRIVES_OF_JOINING = drives(
    ("a1", "a", HASHES[0]),
    ("a2", "a", HASHES[1]),
    ("b1", "b", HASHES[1] ^ 0b1),  # like a2
    ("b2", "b", HASHES[2]),
    ("c1", "c", HASHES[2] ^ 0b1),  # like b2
    ("d1", "d", HASHES[1] ^ 0b10),  # like a2
)
