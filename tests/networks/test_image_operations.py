import numpy as np
import pytest
from keras.random import SeedGenerator
from PIL import Image, ImageEnhance, ImageOps
from scipy import stats

from trackbed.networks import image_operations

RANDOM = np.random.default_rng(3)
IMAGES = np.clip(RANDOM.normal(120, 40, (3, 21, 30, 3)), 20, 230).round().astype(np.float32)
STRENGTH = 0.5
# What Pillow does at this strength; a direction is +1 or -1.
PILLOW = {
    "auto_contrast": lambda image, way: ImageOps.autocontrast(image),
    "equalize": lambda image, way: ImageOps.equalize(image),
    "solarize": lambda image, way: ImageOps.solarize(image, 128),
    "posterize": lambda image, way: ImageOps.posterize(image, 6),
    "color": lambda image, way: ImageEnhance.Color(image).enhance(1 + way * 0.45),
    "contrast": lambda image, way: ImageEnhance.Contrast(image).enhance(1 + way * 0.45),
    "brightness": lambda image, way: ImageEnhance.Brightness(image).enhance(1 + way * 0.45),
    "sharpness": lambda image, way: ImageEnhance.Sharpness(image).enhance(1 + way * 0.45),
}


def signed(way, count=3):
    return np.full((count, 1, 1, 1), way * STRENGTH, np.float32)


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("name", PILLOW)
def test_an_operation_does_what_pillow_does(name, way):
    results = np.asarray(getattr(image_operations, name)(IMAGES, signed(way)))
    for result, image in zip(results, IMAGES, strict=True):
        expected = np.asarray(PILLOW[name](Image.fromarray(image.astype(np.uint8)), way))
        assert np.abs(result - expected).max() <= 2  # levels; Pillow rounds on its way
        assert np.abs(result - expected).mean() < 1


@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("rotate", [[np.cos(np.pi / 12), -np.sin(np.pi / 12)], [np.sin(np.pi / 12), 0.9659]]),
        ("shear_x", [[1, 0.15], [0, 1]]),
        ("shear_y", [[1, 0], [0.15, 1]]),
        ("translate_x", [[1, 0, 0.225 * 30], [0, 1, 0]]),
        ("translate_y", [[1, 0, 0], [0, 1, 0.225 * 21]]),
    ],
)
def test_a_geometric_operation_moves_places(name, matrix, way):
    # The value of a pixel is its place, from the centre, plus 100.
    places = np.zeros((1, 21, 30, 3), np.float32)
    places[0, ..., 0], places[0, ..., 1] = np.meshgrid(np.arange(30) - 14.5, np.arange(21) - 10.0)
    matrix = np.array(matrix)
    moved = matrix[:, :2] if way > 0 else np.linalg.inv(matrix[:, :2])
    shift = way * matrix[:, 2].round() if matrix.shape == (2, 3) else 0
    result = np.asarray(getattr(image_operations, name)(places + 100, signed(way, 1))) - 100
    inner = np.s_[0, 8:13, 12:18]
    expected = places[inner][..., :2] @ moved.T + shift
    np.testing.assert_allclose(result[inner][..., :2], expected, atol=0.02)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_one_colour_survives_contrast_and_equalization(value):
    images = np.full((1, 5, 5, 3), value, np.float32)
    for operation in (
        image_operations.auto_contrast,
        image_operations.equalize,
        image_operations.contrast,
    ):
        np.testing.assert_allclose(operation(images, signed(1, 1)), images, atol=1e-3)


def test_every_image_gets_an_operation_of_its_own():
    count = 1400
    images = np.broadcast_to(IMAGES[:1], (count, *IMAGES.shape[1:]))
    results = np.asarray(image_operations.rand_augment(images, 1, STRENGTH, SeedGenerator(1)))
    unchanged = (results == images).all(axis=(1, 2, 3)).sum()
    assert stats.binomtest(int(unchanged), count, 1 / 14).pvalue > 0.01
    # 9 operations have two directions, 4 have none.
    assert len({one.tobytes() for one in results}) == 1 + 4 + 2 * 9


def test_several_operations_follow_one_another():
    images = np.broadcast_to(IMAGES[:1], (500, *IMAGES.shape[1:]))
    results = np.asarray(image_operations.rand_augment(images, 2, STRENGTH, SeedGenerator(2)))
    assert len({one.tobytes() for one in results}) > 1 + 4 + 2 * 9
