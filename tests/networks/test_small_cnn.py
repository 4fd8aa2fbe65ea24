import numpy as np
import pytest

from trackbed.networks.small_cnn import small_cnn
from trackbed.networks.spec import Spec


@pytest.mark.parametrize("side", [32, 96])
@pytest.mark.parametrize("classes", [2, 43])
def test_probabilities_for_any_side_and_number_of_classes(side, classes):
    network = small_cnn(Spec(side, classes, 0.3))
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    probabilities = network.predict(images, verbose=0)
    assert probabilities.shape == (3, classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert not np.allclose(probabilities[0], probabilities[1])


def test_it_has_under_two_million_parameters():
    assert small_cnn(Spec(96, 5, 0.3)).count_params() < 2_000_000


def test_the_width_multiplies_the_channels():
    network = small_cnn(Spec(128, 5, 0.3, width=2.0))
    channels = [layer.filters for layer in network.layers if layer.name.startswith("conv2d")]
    assert sorted(set(channels)) == [32, 64, 128, 256]
    assert network.count_params() == 1_230_565


@pytest.mark.parametrize(("side", "strides"), [(63, 8), (64, 16), (127, 16), (128, 32)])
def test_larger_images_are_halved_more_often(side, strides):
    last = small_cnn(Spec(side, 5)).get_layer(index=-4).output
    assert last.shape[1] == -(-side // strides)
