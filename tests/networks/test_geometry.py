"""What changes of position do, measured with NumPy, SciPy and OpenCV."""

import cv2
import numpy as np
import pytest
from distributions import assert_share, assert_uniform
from pydantic import TypeAdapter
from scipy import stats

from trackbed.networks import augmentation

CHANGES = TypeAdapter(augmentation.Changes)
EVERY = [
    {"name": "flip", "mode": "horizontal_and_vertical"},
    {"name": "rotation", "degrees": 30},
    {"name": "zoom", "factor": 0.3},
    {"name": "translation", "factor": 0.2},
    {"name": "perspective", "scale": 1.0},
]
every = pytest.mark.parametrize("change", EVERY, ids=lambda change: change["name"])
SIDE, COUNT = 40, 600
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, (8, 12, 12, 3)).astype(np.uint8)
# The value of a pixel is its place: red from its x, green from its y.
PLACES = np.zeros((SIDE, SIDE, 3), np.float32)
PLACES[..., 0], PLACES[..., 1] = np.meshgrid(np.arange(SIDE), np.arange(SIDE))


def geometry(*changes, seed=0):
    return augmentation.geometry(CHANGES.validate_python(changes), seed)


def changed(images, change, seed=0):
    return geometry(change, seed=seed).changed(images)


def maps(change, count=COUNT):
    """Where every place of a result comes from: homographies, shape (images, 3, 3)."""
    results = changed(np.broadcast_to(PLACES * 6, (count, SIDE, SIDE, 3)), change) / 6
    inner = np.s_[12:28, 12:28]
    places = PLACES[inner].reshape(-1, 3)[:, :2]
    return np.array(
        [cv2.findHomography(places, one[inner].reshape(-1, 3)[:, :2])[0] for one in results]
    )


def test_both_directions_of_a_flip_are_independent():
    image = PLACES[:4, :4]
    ways = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    results = changed(
        np.broadcast_to(image, (COUNT, 4, 4, 3)),
        {"name": "flip", "mode": "horizontal_and_vertical"},
    )
    counts = [sum(np.array_equal(one, way) for one in results) for way in ways]
    assert sum(counts) == COUNT
    assert stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize(("mode", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_a_flip_mirrors_half_of_the_images(mode, axis):
    images = np.broadcast_to(PLACES, (COUNT, SIDE, SIDE, 3))
    results = changed(images, {"name": "flip", "mode": mode})
    mirrored = np.array([np.array_equal(one, np.flip(PLACES, axis)) for one in results])
    same = np.array([np.array_equal(one, PLACES) for one in results])
    assert (mirrored ^ same).all()
    assert_share(mirrored, 0.5)


def test_a_rotation_turns_about_the_centre_by_any_angle():
    found = maps({"name": "rotation", "degrees": 10})
    assert_uniform(np.degrees(np.arctan2(found[:, 1, 0], found[:, 0, 0])), -10, 10)
    np.testing.assert_allclose(np.linalg.det(found[:, :2, :2]), 1, atol=2e-2)
    centre = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2, 1])
    np.testing.assert_allclose(found @ centre, np.tile(centre, (COUNT, 1)), atol=0.05)


def test_a_rotation_is_that_of_opencv():
    image = cv2.GaussianBlur(RANDOM.integers(0, 256, (31, 47, 3)).astype(np.float32), (0, 0), 3)
    (result,) = changed(image[None], {"name": "rotation", "degrees": 40}, seed=4)
    angles = np.linspace(-40, 40, 321)
    rotated = [
        cv2.warpAffine(
            image,
            cv2.getRotationMatrix2D((23, 15), angle, 1),
            (47, 31),
            borderMode=cv2.BORDER_REFLECT,
        )
        for angle in angles
    ]
    distances = [np.abs(one - result).mean() for one in rotated]
    assert min(distances) < 0.5 < np.median(distances)
    assert abs(angles[np.argmin(distances)]) > 1


@pytest.mark.parametrize(("inward", "most"), [(False, 1.3), (True, 1.0)])
def test_a_zoom_shows_a_smaller_or_larger_window(inward, most):
    found = maps({"name": "zoom", "factor": 0.3, "inward": inward})
    assert_uniform(found[:, 0, 0], 0.7, most)
    np.testing.assert_allclose(found[:, 0, 0], found[:, 1, 1], atol=1e-2)
    centre = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2, 1])
    np.testing.assert_allclose(found @ centre, np.tile(centre, (COUNT, 1)), atol=0.05)


@pytest.mark.parametrize(
    ("height", "width", "factor", "down", "across"),
    [(40, 40, 0.1, 4, 4), (8, 8, 0.1, 1, 1), (20, 50, 0.29, 5, 14), (10, 10, 0.9, 9, 9)],
)
def test_a_translation_shifts_by_whole_pixels(height, width, factor, down, across):
    image = RANDOM.integers(0, 256, (height, width, 3)).astype(np.float32)
    results = changed(
        np.broadcast_to(image, (COUNT, height, width, 3)), {"name": "translation", "factor": factor}
    )
    # Mirrored edges are NumPy's "symmetric" ones.
    padded = np.pad(image, ((down, down), (across, across), (0, 0)), "symmetric")
    windows = {
        padded[y : y + height, x : x + width].tobytes(): (y, x)
        for y in range(2 * down + 1)
        for x in range(2 * across + 1)
    }
    places = [windows[one.tobytes()] for one in results]
    for axis, most in enumerate((down, across)):
        counts = np.bincount([place[axis] for place in places], minlength=2 * most + 1)
        assert stats.chisquare(counts).pvalue > 0.01


def test_a_perspective_moves_every_corner():
    found = maps({"name": "perspective", "scale": 0.3})
    last = SIDE - 1.0
    for corner in ([0, 0], [last, 0], [0, last], [last, last]):
        mapped = found @ [*corner, 1]
        moves = (mapped[:, :2] / mapped[:, 2:] - corner) / last
        for axis in (0, 1):
            assert_uniform(moves[:, axis], -0.15, 0.15)


@every
def test_the_edge_is_filled_by_mirroring(change):
    # Nothing black, nothing white: only values of the image.
    results = changed(np.full((200, 16, 16, 3), 77, np.float32), change)
    np.testing.assert_allclose(results, 77, atol=1e-3)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_factor_is_the_share_of_images_in_perspective(share):
    images = np.broadcast_to(NOISE[:1], (COUNT, 12, 12, 3))
    results = changed(images, {"name": "perspective", "scale": 0.4, "factor": share})
    assert_share(np.abs(results.astype(int) - images).max(axis=(1, 2, 3)) > 0, share)


@every
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 9, 31), (3, 31, 9), (2, 1, 1), (1, 512, 512)])
def test_shape_and_dtype_stay(change, shape, dtype):
    images = RANDOM.integers(0, 256, (*shape, 3)).astype(dtype)
    results = changed(images, change)
    assert (results.shape, results.dtype) == (images.shape, images.dtype)
    assert results.min() >= images.min()
    assert results.max() <= images.max()


@every
def test_images_of_a_batch_move_independently(change):
    results = changed(np.broadcast_to(NOISE[:1], NOISE.shape), change)
    assert len({one.tobytes() for one in results}) > 2


def test_the_given_images_stay_as_they_are():
    before = NOISE.copy()
    geometry(*EVERY).changed(NOISE)
    np.testing.assert_array_equal(NOISE, before)


def test_seed_and_place_decide():
    first = geometry(*EVERY, seed=1).changed(NOISE, 4, 32)
    np.testing.assert_array_equal(geometry(*EVERY, seed=1).changed(NOISE, 4, 32), first)
    for seed, place in ((2, (4, 32)), (1, (5, 32)), (1, (4, 64)), (1, (4,))):
        assert not np.array_equal(geometry(*EVERY, seed=seed).changed(NOISE, *place), first)


def test_changes_follow_one_another_in_their_order():
    # Flip and translation copy pixels, so that both ways are exact.
    flip, shift = {"name": "flip", "mode": "horizontal"}, {"name": "translation", "factor": 0.3}
    images = np.broadcast_to(NOISE[:1], (50, 12, 12, 3))
    both = geometry(flip, shift)
    first = geometry(flip).changed(images)
    # The second change of a list has the seed after that of the first.
    padded = np.pad(first, ((0, 0), (3, 3), (3, 3), (0, 0)), "symmetric")
    second = geometry(shift, seed=1).homographies(50, (12, 12))[:, :2, 2].astype(int)
    expected = [
        one[3 + down : 15 + down, 3 + across : 15 + across]
        for one, (across, down) in zip(padded, second, strict=True)
    ]
    np.testing.assert_array_equal(both.changed(images), expected)


def test_equal_changes_in_one_list_have_their_own_seeds():
    turns = geometry({"name": "rotation", "degrees": 90}, {"name": "rotation", "degrees": 90})
    total = turns.homographies(200, (9, 9))
    once = geometry({"name": "rotation", "degrees": 90}).homographies(200, (9, 9))
    angles = np.arctan2(total[:, 1, 0], total[:, 0, 0])
    twice = 2 * np.arctan2(once[:, 1, 0], once[:, 0, 0])
    assert np.abs(angles - twice).max() > 0.5


def test_several_changes_blur_as_little_as_one():
    # A checkerboard loses contrast with every interpolation.
    board = (np.indices((SIDE, SIDE)).sum(axis=0) // 4 % 2 * 255).astype(np.uint8)
    images = np.broadcast_to(board[None, :, :, None], (COUNT, SIDE, SIDE, 3))
    small = {"name": "rotation", "degrees": 5}
    one, three = geometry(small).changed(images), geometry(small, small, small).changed(images)
    assert three.std() > 0.99 * one.std()


def test_without_changes_of_position_there_is_no_geometry():
    assert geometry() is None
    assert geometry({"name": "brightness", "factor": 0.2}) is None
