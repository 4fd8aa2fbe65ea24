import numpy as np
import pytest

from trackbed.sample import texture

SHAPE = (60, 90)


def random():
    return np.random.default_rng(3)


@pytest.mark.parametrize("make", [texture.noise, texture.fractal])
def test_noise_is_smooth_around_zero_and_repeatable(make):
    values = make(random(), SHAPE, 12.0)
    assert values.shape == SHAPE
    assert abs(values.mean()) < 0.3
    assert 0.1 < values.std() < 1
    neighbours = np.abs(np.diff(values, axis=1)).mean()
    assert neighbours < values.std() / 2
    assert np.array_equal(values, make(random(), SHAPE, 12.0))


def test_stretched_noise_changes_less_downwards():
    values = texture.noise(random(), SHAPE, 4.0, stretch=6)
    across, down = (np.abs(np.diff(values, axis=axis)).mean() for axis in (1, 0))
    assert down < across / 2


def test_a_ramp_by_hand():
    values = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    assert texture.ramp(values, 0, 2).tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_patches_cover_about_their_share(share):
    mask = texture.patches(random(), (200, 200), 20, share)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask.mean() == pytest.approx(share, abs=0.08)


def test_mix_takes_each_side_by_the_mask():
    below, above = np.zeros((1, 3, 3), np.float32), np.ones((1, 3, 3), np.float32)
    mixed = texture.mix(below, above, np.array([[0, 0.25, 1]], np.float32))
    assert mixed[0, :, 0].tolist() == [0, 0.25, 1]


def test_shaded_multiplies_a_color():
    picture = texture.shaded(np.array([[0.5, 2.0]]), np.array([1.0, 0.5, 0.0]))
    assert picture.tolist() == [[[0.5, 0.25, 0], [2, 1, 0]]]


def test_cells_are_the_nearest_of_their_grid():
    cells = texture.cells(random(), SHAPE, 10.0)
    assert cells.number.shape == SHAPE
    assert (cells.rim >= 0).all()
    # Without jitter beyond the grid the centre is at most about a diagonal away, in cell sides.
    assert np.hypot(cells.right, cells.down).max() < 1.5
    numbers = np.unique(cells.number)
    assert 20 < len(numbers) < 120  # 54 cells of 10 x 10 and those at the edges


def test_each_gives_one_value_per_cell():
    cells = texture.cells(random(), SHAPE, 10.0)
    values = np.arange(10_000)
    assert np.array_equal(cells.each(values), cells.number)


def test_cells_measure_distances_as_numpy_does():
    right, down = np.random.default_rng(1).normal(0, 3, (2, 100_000)).astype(np.float32)
    assert np.array_equal(texture._length(right, down), np.hypot(right, down))
