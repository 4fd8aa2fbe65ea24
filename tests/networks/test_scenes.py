import numpy as np
import pytest

from trackbed.networks import registry
from trackbed.networks.spec import Spec


@pytest.mark.parametrize(
    ("name", "total", "frozen"),
    [
        ("scenes_underfit", 4_823, 0),
        ("scenes_overfit", 3_667_269, 0),
        ("scenes_optimized", 10_466_449, 6),
    ],
)
def test_parameters_are_as_many_as_published(name, total, frozen):
    network = registry.build(name, Spec(150, 5, 0.3))
    assert network.count_params() == total
    assert sum(int(np.prod(weight.shape)) for weight in network.non_trainable_weights) == frozen


def test_dropout_and_penalty_are_as_published():
    network = registry.build("scenes_optimized", Spec(150, 5, 0.3, l2=0.001))
    rates = [layer.rate for layer in network.layers if layer.name.startswith("dropout")]
    assert rates == pytest.approx([0.3, 0.3, 0.3, 0.3, 0.4])
    kernels = [layer for layer in network.layers if hasattr(layer, "kernel_regularizer")]
    penalised = [layer.kernel_regularizer is not None for layer in kernels]
    assert penalised == [False, True, True, True, True, True, False]  # the classes have none


@pytest.mark.parametrize("name", ["scenes_underfit", "scenes_overfit", "scenes_optimized"])
def test_pixels_are_rescaled_only_on_request(name):
    def scales(scaling):
        network = registry.build(name, Spec(150, 5, scaling=scaling))
        return [layer.scale for layer in network.layers if layer.name.startswith("rescaling")]

    assert scales("own") == []
    assert scales("unit") == [1 / 255]
