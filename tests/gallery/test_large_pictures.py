"""Larger pictures: their size and shape, what they show, and where they stop."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trackbed.dataset import recording
from trackbed.gallery import large_pictures
from trackbed.records import record_features

SIZES = [(640, 480), (100, 90), (90, 700)]


def gradient(width, height):
    """A picture that gets brighter from the left to the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return np.broadcast_to(row[np.newaxis, :, np.newaxis], (height, width, 3))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Records of pictures of SIZES, and their rows of the index."""
    folder, rows = tmp_path_factory.mktemp("records"), []
    with recording.ShardWriter(folder, 2**30) as shards:
        for width, height in SIZES:
            row = {"filename": f"{width}.png", "label": 0, "class_name": "A", "group": f"{width}"}
            row |= {"width": width, "height": height, "encoding": "raw"}
            rows.append(
                row | shards.add(record_features.of_row(row, gradient(width, height).tobytes()))
            )
    return folder, pd.DataFrame(rows).assign(record=range(len(rows)))


def opened(content):
    return Image.open(io.BytesIO(content))


def test_pictures_keep_their_shape_and_are_not_enlarged(stored):
    found = large_pictures.encoded(*stored, 64, 10**6)
    assert [opened(one).size for one in found] == [(320, 240), (100, 90), (41, 320)]
    row = np.asarray(opened(found[0]).convert("L"), float)[120]
    assert row == pytest.approx(np.linspace(0, 255, 320), abs=8)


def test_a_picture_that_the_small_one_shows_whole_is_left_out(stored):
    found = large_pictures.encoded(*stored, 100, 10**6)
    assert [one is None for one in found] == [False, True, False]


def test_the_first_pictures_fill_the_room(stored):
    first, second, _ = large_pictures.encoded(*stored, 64, 10**6)
    assert large_pictures.encoded(*stored, 64, len(first) + len(second)) == [first, second]
    assert large_pictures.encoded(*stored, 64, 10) == []
