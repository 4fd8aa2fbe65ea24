"""Grad-CAM by TensorFlow, against the maps that NumPy computes and against a hand count."""

import keras
import numpy as np
import pytest

from trackbed.explanation import grad_cam
from trackbed.inference import class_activation
from trackbed.inference.head import Dense, Head
from trackbed.networks import registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError


def images(side, count=3):
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    return coarse.repeat(side // 4, axis=1).repeat(side // 4, axis=2)


def dense_layers(model):
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return Head([Dense(*layer.get_weights(), layer.activation.__name__) for layer in found])


@pytest.mark.parametrize(
    "network",
    ["small_cnn", "MobileNetV2", pytest.param("rails", marks=pytest.mark.slow)],
)
def test_the_map_in_numpy_is_grad_cam(network):
    # The last two have a nested backbone, the last also hidden dense layers.
    keras.utils.set_random_seed(1)
    model = registry.build(network, Spec(32, 4))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):  # a new bias is 0
            kernel, bias = layer.get_weights()
            draw = np.random.default_rng(2)
            layer.set_weights([draw.normal(size=kernel.shape) / 4, draw.normal(size=bias.shape)])
    given, labels = images(32), np.array([0, 3, 2])
    explainer = grad_cam.of(model)
    probabilities, expected = explainer.explained(given, labels)
    np.testing.assert_allclose(probabilities, model.predict(given, verbose=0), atol=1e-6)
    features, head = explainer.features.predict(given, verbose=0), dense_layers(model)
    gradients = class_activation.gradient(head, features.mean((1, 2)), labels)
    found = class_activation.maps(features, gradients)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def test_by_default_the_most_probable_class_is_explained():
    keras.utils.set_random_seed(1)
    explainer = grad_cam.of(registry.build("small_cnn", Spec(32, 4)))
    probabilities, found = explainer.explained(images(32))
    _, expected = explainer.explained(images(32), probabilities.argmax(axis=1))
    np.testing.assert_array_equal(found, expected)


def test_a_network_with_flatten_has_a_map():
    keras.utils.set_random_seed(1)
    explainer = grad_cam.of(registry.build("scenes_underfit", Spec(48, 3)))
    _, found = explainer.explained(images(48, 40))  # more than one batch
    assert found.shape == (40, 4, 4)
    assert np.ptp(found) > 0


def test_a_network_without_a_map_is_refused():
    flat = keras.Input((5,))
    with pytest.raises(UserError, match="no layer takes a map"):
        grad_cam.of(keras.Model(flat, keras.layers.Dense(2, activation="softmax")(flat)))


def test_the_log_odds_of_sure_answers_are_finite():
    logits = np.array([[300.0, 0, 0], [1, 2, 3]], np.float32)
    found = grad_cam.log_odds(keras.ops.convert_to_tensor(logits), np.array([0, 2]))
    shares = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    expected = [300 - np.log(2), np.log(shares[2] / (1 - shares[2]))]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
