"""The deletion test on a classifier whose reason is known: how bright a corner is."""

import numpy as np
import pytest

from trackbed.explanation import deletion

SIDE = 16


def corner(images):
    """The probability of class 0 is the brightness of the upper left quarter."""
    share = images[:, : SIDE // 2, : SIDE // 2].mean(axis=(1, 2, 3)) / 255
    return np.stack([share, 1 - share], axis=1)


@pytest.fixture
def images():
    """White in that quarter, black elsewhere."""
    made = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    made[:, : SIDE // 2, : SIDE // 2] = 255
    return made


def maps(place):
    values = np.zeros((4, 2, 2), np.float32)
    values[:, place[0], place[1]] = 1
    return values.repeat(SIDE // 2, axis=1).repeat(SIDE // 2, axis=2)


def measured(images, place):
    labels = np.zeros(4, int)
    fill = deletion.mean_colour
    return deletion.measured(corner, images, labels, maps(place), fill=fill)


def test_a_map_of_the_reason_lowers_the_probability(images):
    found = measured(images, (0, 0))
    # The quarter has the mean colour now: a quarter of 255, rounded.
    assert found.top == pytest.approx(1 - 64 / 255)
    assert found.bottom == pytest.approx(0, abs=0.1)
    assert found.top > 2 * found.random > 0


def test_a_map_of_another_place_does_not(images):
    assert measured(images, (1, 1)).top == pytest.approx(0, abs=0.02)


def test_a_quarter_of_the_pixels_is_deleted(images):
    changed = deletion.deleted(images, 255 - images, maps((1, 0)))
    assert (changed != images).all(axis=3).mean(axis=(1, 2)).tolist() == [0.25] * 4


def test_blurring_keeps_the_light_and_drops_the_texture():
    texture = np.random.default_rng(0).integers(0, 2, (1, 64, 64, 1)).astype(np.uint8) * 255
    image = texture.repeat(3, axis=3)
    found = deletion.blurred(image)
    assert found.mean() == pytest.approx(image.mean(), abs=2)
    assert found.std() < image.std() / 10
