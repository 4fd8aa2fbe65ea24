"""Grad-CAM by TensorFlow, against the maps that NumPy computes and against a hand count."""

import keras
import numpy as np
import pytest
from scipy import stats

from trackbed.explanation import deletion, grad_cam
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


SIDE = 32
COLOURS = np.array([[230, 40, 40], [40, 60, 230], [40, 200, 60]])


def squares(count, seed):
    """Noise with a square of 12 pixels, whose colour is the class; images, labels, centres."""
    draw = np.random.default_rng(seed)
    found = draw.integers(60, 180, (count, SIDE, SIDE, 3)).astype(np.uint8)
    labels, corners = draw.integers(0, 3, count), draw.integers(0, SIDE - 12, (count, 2))
    for image, label, (top, left) in zip(found, labels, corners, strict=True):
        image[top : top + 12, left : left + 12] = COLOURS[label]
    return found, labels, corners + 6


@pytest.fixture(scope="module")
def trained():
    """A network with a map of 8 x 8 cells that has learned the squares."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for filters in (16, 32):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    given, labels, _ = squares(1500, seed=1)
    model.fit(given, labels, epochs=6, batch_size=50, verbose=0)
    return model


@pytest.mark.slow
def test_maps_lie_on_what_the_answers_rest_on(trained):
    given, labels, centres = squares(60, seed=2)
    probabilities, maps = grad_cam.of(trained).explained(given)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.95
    peaks = np.array([np.unravel_index(one.argmax(), one.shape) for one in maps]) * 4 + 2
    assert (np.abs(peaks - centres).max(axis=1) <= 8).mean() > 0.9
    found = deletion.measured(
        lambda images: trained.predict(images, verbose=0),
        given,
        probabilities.argmax(axis=1),
        maps,
        fill=deletion.blurred,
    )
    assert found.top > 2 * found.random
    assert found.top > 3 * found.bottom


@pytest.mark.slow
def test_shuffled_weights_give_other_maps(trained):
    # Adebayo et al. 2018: maps that stay would be those of an edge detector.
    given, labels, _ = squares(60, seed=2)
    _, maps = grad_cam.of(trained).explained(given, labels)
    other, draw = keras.models.clone_model(trained), np.random.default_rng(0)
    other.set_weights([draw.permutation(w.ravel()).reshape(w.shape) for w in trained.get_weights()])
    _, others = grad_cam.of(other).explained(given, labels)
    alike = [
        stats.spearmanr(*pair).statistic
        for pair in zip(maps.reshape(60, -1), others.reshape(60, -1), strict=True)
    ]
    assert abs(np.nanmean(alike)) < 0.4
