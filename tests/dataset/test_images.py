import itertools
from pathlib import Path

import evil
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import convolve

from trackbed.dataset import images
from trackbed.dataset.images import quality
from trackbed.pictures.rejections import Limits

DATA = Path(__file__).parents[2] / "shared" / "data"
LIMIT = Limits(10_000_000)
WHOLE = evil.files()


def test_difference_hash_by_hand():
    rising = np.tile(np.arange(9, dtype=np.uint8) * 20, (8, 1))
    assert images.difference_hash(Image.fromarray(rising)) == "f" * 16
    assert images.difference_hash(Image.fromarray(rising[:, ::-1].copy())) == "0" * 16
    rising[0, 8] = 0  # the first row falls at its end: 1111 1110
    assert images.difference_hash(Image.fromarray(rising)) == "fe" + "f" * 14


def test_difference_hash_of_a_large_picture_of_blocks():
    blocks = np.random.default_rng(0).integers(0, 256, (8, 9), dtype=np.uint8)
    bits = "".join(
        "1" if left < right else "0" for row in blocks for left, right in itertools.pairwise(row)
    )
    large = Image.fromarray(blocks.repeat(10, axis=0).repeat(10, axis=1))
    assert images.difference_hash(large) == f"{int(bits, 2):016x}"


def test_a_smaller_copy_of_a_photograph_has_nearly_the_same_hash():
    paths = sorted((DATA / "scenes/test").rglob("*.jpg"))[::50]
    if not paths:
        pytest.skip("shared/data is not there")
    hashes = []
    for path in paths:
        with Image.open(path) as image:
            pair = image.convert("L"), image.convert("L").resize((97, 91))
        hashes.append([int(images.difference_hash(picture), 16) for picture in pair])
    same = [(large ^ small).bit_count() for large, small in hashes]
    other = [(a[0] ^ b[0]).bit_count() for a, b in itertools.pairwise(hashes)]
    assert max(same) < 10 < np.median(other)


def test_a_chessboard_by_hand():
    board = np.indices((4, 4)).sum(axis=0) % 2 * 200
    found = quality(Image.fromarray(board.astype(np.uint8)))
    # Half 0, half 200; every pixel differs by 200 from its four neighbours: -800 and 800.
    assert found == (100, 100, 800**2)


def test_agrees_with_numpy_and_scipy_on_noise():
    grey = np.random.default_rng(0).integers(0, 256, (37, 53), dtype=np.uint8)
    kernel = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    edges = convolve(grey.astype(float), kernel, mode="mirror")
    expected = (grey.mean(), grey.std(), edges.var())
    assert quality(Image.fromarray(grey)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (30, 20)])
def test_a_flat_picture_has_neither_contrast_nor_edges(value, size):
    assert quality(Image.new("L", size, value)) == (value, 0, 0)


def test_blur_lowers_sharpness_and_keeps_brightness(photographs):
    path = next((photographs / "trackbed").rglob("*.jpg"), None) or next(photographs.rglob("*.jpg"))
    with Image.open(path) as image:
        grey = image.convert("L")
    small = grey.resize((grey.width // 8, grey.height // 8)).resize(grey.size)
    sharp, blurred = quality(grey), quality(small)
    assert blurred.sharpness < sharp.sharpness / 2
    assert blurred.brightness == pytest.approx(sharp.brightness, abs=2)
