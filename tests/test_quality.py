import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import convolve

from trackbed.ingest.quality import quality


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
