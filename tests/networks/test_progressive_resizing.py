import numpy as np
import pytest

from trackbed.networks import progressive_resizing, registry
from trackbed.networks.spec import Spec
from trackbed.training import checkpoint


def sides(side, scale, epochs):
    of = progressive_resizing.sides(side, scale, epochs)
    return [of(epoch) for epoch in range(epochs)]


def test_sides_are_small_then_grow_then_full():
    # 6 of 20 epochs, then 40 / 6 pixels more an epoch, in multiples of 4, then 8 of 20 epochs.
    assert sides(80, 0.5, 20) == [40] * 7 + [48, 52, 60, 68, 72] + [80] * 8


def test_a_scale_of_one_is_always_full():
    assert sides(80, 1.0, 5) == [80] * 5


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("scale", [0.01, 0.3, 0.5, 0.99])
@pytest.mark.parametrize("side", [8, 15, 40, 127, 224])
def test_sides_grow_and_end_with_the_full_one(side, scale, epochs):
    found = sides(side, scale, epochs)
    assert found == sorted(found)
    assert found[-1] == side
    assert found[0] >= min(side, 16)
    first = progressive_resizing.first_full_epoch(scale, epochs)
    assert set(found[first:]) == {side}


def test_shrunk_pixels_are_the_mean_of_those_they_cover():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    means = images.reshape(3, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    assert np.abs(progressive_resizing.resized(images, 4) - means).max() <= 0.5


@pytest.mark.parametrize("side", [12, 20, 28])
def test_pixels_that_are_covered_in_part_count_by_their_share(side):
    image = np.random.default_rng(1).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    edges = np.arange(side + 1) * 30 / side
    first = np.maximum(edges[:-1, None], np.arange(30))
    last = np.minimum(edges[1:, None], np.arange(1, 31))
    shares = np.clip(last - first, 0, None) * side / 30
    expected = np.einsum("ay,bx,yxc->abc", shares, shares, image)
    assert np.abs(progressive_resizing.resized(image[None], side)[0] - expected).max() <= 1


def test_images_of_the_full_side_stay():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    assert progressive_resizing.resized(images, 8) is images


def test_the_network_for_any_side_has_the_same_weights_and_answers(tmp_path):
    network = registry.build("small_cnn", Spec(32, 3, width=0.5))
    (tmp_path / "before").mkdir()
    checkpoint.save(tmp_path / "before", network, ["a", "b", "c"])
    other = progressive_resizing.for_any_side(network)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(other(images), network(images))
    assert other(images[:, :20, :20]).shape == (2, 3)
    assert all(a is b for a, b in zip(other.weights, network.weights, strict=True))
    # The copy leaves no trace in what is saved.
    (tmp_path / "after").mkdir()
    checkpoint.save(tmp_path / "after", network, ["a", "b", "c"])
    file = checkpoint.MODEL_FILE
    assert (tmp_path / "before" / file).read_bytes() == (tmp_path / "after" / file).read_bytes()
