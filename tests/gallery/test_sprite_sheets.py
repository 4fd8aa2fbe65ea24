"""Small pictures in few images: where each lies, and how large all are together."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
import unpacking
from PIL import Image

from trackbed.gallery import sprite_sheets


def coloured(count, side):
    """Plain pictures, each of its own grey."""
    greys = np.linspace(0, 255, count).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (count, side, side, 3))


def opened(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L")


def test_a_cell_lies_where_the_layout_says():
    found = sprite_sheets.packed(lambda side: coloured(200, side), 200, 10**6, largest=60)
    columns, per_sheet = sprite_sheets.layout(60)  # 707 // 60 = 11, so 121 a sheet
    assert (found.side, found.columns, found.per_sheet) == (60, columns, per_sheet) == (60, 11, 121)
    assert len(found.pictures) == 2
    for place in (0, 12, 120, 121, 199):
        inside = place % 121
        centre = (inside % 11 * 60 + 30, inside // 11 * 60 + 30)
        grey = opened(found.pictures[place // 121]).getpixel(centre)
        assert grey == pytest.approx(np.linspace(0, 255, 200)[place], abs=4)


def test_noise_gets_smaller_until_it_fits():
    draw = np.random.default_rng(0)
    noise = draw.integers(0, 256, (300, 128, 128, 3), dtype=np.uint8)
    found = sprite_sheets.packed(lambda side: noise[:, :side, :side], 300, 100_000)
    size = sum(len(base64.b64decode(one.partition(",")[2])) for one in found.pictures)
    assert size <= 100_000
    assert 16 < found.side < 60


def test_equal_pictures_give_equal_bytes():
    made = [sprite_sheets.sheets(coloured(9, 32)) for _ in range(2)]
    assert made[0] == made[1]


def test_no_pictures_are_no_sheets():
    assert sprite_sheets.packed(lambda side: coloured(0, side), 0, 1000).pictures == []


def test_shapes_are_packed_unless_all_are_squares():
    sizes = pd.DataFrame({"width": [64, 50], "height": [48, 100]})
    assert unpacking.numbers(sprite_sheets.aspects(sizes)).tolist() == [133, 50]
    assert sprite_sheets.aspects(sizes.assign(height=sizes["width"])) is None
