import numpy as np
import pytest

from trackbed.sample import surfaces, trackside

LENGTH, WIDTH = 160, 120


def track(name, seed=0):
    return trackside.track(np.random.default_rng(seed), name, LENGTH, WIDTH)


@pytest.mark.parametrize("name", surfaces.SURFACES)
def test_a_track_has_the_wanted_size_and_is_repeatable(name):
    made = track(name)
    assert made.shape == (LENGTH, WIDTH, 3)
    assert np.isfinite(made).all()
    assert np.array_equal(made, track(name))


def test_two_rails_run_along_the_track():
    """Columns of a rail vary little from row to row, in the mean of many tracks."""
    rails = 0
    for seed in range(8):
        grey = track("ASPHALT", seed).mean(axis=2)
        steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)  # edges that run along the track
        strong = np.flatnonzero(steps > 3 * np.median(steps))
        rails += bool(len(strong)) and strong.min() < WIDTH / 2 < strong.max()
    assert rails >= 7


def test_sleepers_come_at_equal_distances():
    random = np.random.default_rng(4)
    bed = np.full((400, 100, 3), 0.02, np.float32)
    gauge = 60.0
    made = trackside._with_sleepers(random, bed, middle=50.0, gauge=gauge)
    bright = (made.mean(axis=2) > 0.1).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(bright - bright.mean()))
    period = len(bright) / (spectrum[2:].argmax() + 2)
    assert period == pytest.approx(trackside.SPACING * gauge, rel=0.1)
