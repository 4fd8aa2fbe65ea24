"""Maps of a head in NumPy, and the overlay of a picture."""

import itertools

import numpy as np
import pytest

from trackbed.inference import class_activation
from trackbed.inference.head import Dense, Head


def head(*sizes, seed=0):
    """Dense layers with random weights, ReLU between them."""
    draw = np.random.default_rng(seed)
    shapes = list(itertools.pairwise(sizes))
    kinds = ["relu"] * (len(shapes) - 1) + ["softmax"]
    return Head(
        [
            Dense(draw.normal(size=shape), draw.normal(size=shape[1]), kind)
            for shape, kind in zip(shapes, kinds, strict=True)
        ]
    )


def test_a_map_by_hand():
    # Two classes: the log-odds of the first are the difference of the logits, 3 a - b.
    two = Head([Dense(np.array([[3.0, 0.0], [0.0, 1.0]]), np.zeros(2), "softmax")])
    features = np.zeros((1, 2, 2, 2), np.float32)
    features[0, 0, 0] = 1, 0
    features[0, 1, 1] = 1, 5
    gradients = class_activation.gradient(two, features.mean((1, 2)), np.array([0]))
    np.testing.assert_allclose(gradients, [[3, -1]])
    found = class_activation.maps(features, gradients)
    np.testing.assert_allclose(found, [[[3 / 4, 0], [0, -2 / 4]]])


@pytest.mark.parametrize("sizes", [(7, 4), (7, 5, 6, 3), (7, 2)])
def test_the_gradient_is_that_of_the_log_odds(sizes):
    made, step = head(*sizes), 1e-6
    embeddings = np.random.default_rng(1).normal(size=(3, 7))
    labels = np.array([0, 1, sizes[-1] - 1])

    def log_odds(values):
        shares = made.probabilities(values)[np.arange(3), labels]
        return np.log(shares / (1 - shares))

    numeric = np.stack(
        [
            (log_odds(embeddings + step * unit) - log_odds(embeddings - step * unit)) / (2 * step)
            for unit in np.eye(7)
        ],
        axis=1,
    )
    found = class_activation.gradient(made, embeddings, labels)
    np.testing.assert_allclose(found, numeric, atol=1e-5)


def test_a_sure_answer_has_a_gradient():
    # In float32 the probability is 1, and its own gradient is 0.
    sure = Head([Dense(np.eye(3, dtype=np.float32) * 200, np.zeros(3, np.float32), "softmax")])
    embeddings = np.array([[1, 0, 0.5]], np.float32)
    assert sure.probabilities(embeddings)[0, 0] == 1
    found = class_activation.gradient(sure, embeddings, np.array([0]))
    np.testing.assert_allclose(found, [[200, 0, -200]], atol=1e-6)


def test_with_one_class_the_map_is_that_of_its_logit():
    one = Head([Dense(np.array([[2.0], [3.0]]), np.zeros(1), "softmax")])
    found = class_activation.gradient(one, np.ones((1, 2)), np.array([0]))
    np.testing.assert_allclose(found, [[2, 3]])


def test_a_map_adds_up_to_the_log_odds_without_the_bias():
    linear = head(6, 2)
    features = np.random.default_rng(2).random((4, 3, 5, 6), np.float32)
    labels = np.array([0, 1, 0, 1])
    embeddings = features.mean((1, 2))
    found = class_activation.maps(
        features, class_activation.gradient(linear, embeddings, labels)
    ).sum((1, 2))
    logits = linear.logits(embeddings) - linear.layers[0].bias
    own = np.arange(4)
    np.testing.assert_allclose(found, logits[own, labels] - logits[own, 1 - labels], rtol=1e-5)


def test_the_overlay_colours_where_the_map_is_high_and_nothing_else():
    picture = np.full((40, 60, 3), 100, np.uint8)
    values = np.zeros((4, 6), np.float32)
    values[0, 0], values[3, 5] = 1, -5
    found = class_activation.overlay(picture, values).astype(int)
    assert found.shape == picture.shape
    red, green, blue = found[2, 2]
    assert red > green > 100 > blue  # yellow
    assert (found[20:, 30:] == 75).all()


@pytest.mark.parametrize("height", [0.0, -1.0])
def test_a_map_without_a_positive_value_leaves_the_grey_picture(height):
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    found = class_activation.overlay(picture, np.full((3, 3), height, np.float32))
    assert (found == found[:, :, :1]).all()


def test_maps_are_comparable_with_a_common_highest_value():
    picture = np.full((8, 8, 3), 100, np.uint8)
    weak = np.full((2, 2), 0.05, np.float32)
    assert (class_activation.overlay(picture, weak, highest=1.0) == 75).all()
    assert (class_activation.overlay(picture, weak) != 75).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_a_thin_picture_has_an_overlay(shape):
    picture = np.zeros((*shape, 3), np.uint8)
    values = np.ones((5, 5), np.float32)
    assert class_activation.overlay(picture, values).shape == picture.shape
