"""Gradients against finite differences, dropout and initial weights against their definition."""

import numpy as np
import pytest

from trackbed.training import dense_heads
from trackbed.training.dense_heads import DenseHeads, Dropout, Loss

SIZES = (5, 4, 3)
RANDOM = np.random.default_rng(0)


def heads(count=2):
    weights = RANDOM.normal(size=(count, dense_heads.parameters(SIZES))).astype(np.float32)
    return DenseHeads(weights, SIZES)


def test_weights_are_kernel_and_bias_of_each_layer():
    stack = heads()
    assert dense_heads.parameters(SIZES) == 5 * 4 + 4 + 4 * 3 + 3
    (kernel, bias), (last, _) = stack.layers
    assert (kernel.shape, bias.shape, last.shape) == ((2, 5, 4), (2, 4), (2, 4, 3))
    kernel[1, 2, 3] = 7
    assert stack.weights[1, 2 * 4 + 3] == 7


def test_probabilities_are_those_of_the_formula():
    stack, x = heads(1), RANDOM.normal(size=(1, 6, 5)).astype(np.float32)
    (kernel, bias), (last, top) = [(one[0], other[0]) for one, other in stack.layers]
    powers = np.exp(np.maximum(x[0] @ kernel + bias, 0) @ last + top)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(stack.probabilities(x)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [Loss(0.1), Loss(0.1, 2.0), Loss(0.0, 0.5), Loss(0.0, 0.0)])
def test_gradients_are_finite_differences(loss):
    # In float64, whose rounding is far below the difference.
    stack = DenseHeads(heads().weights.astype(float), SIZES)
    x = RANDOM.normal(size=(2, 6, 5))
    wanted = loss.targets(RANDOM.integers(3, size=(2, 6)), 3).astype(float)

    def total():
        return loss.values(stack.activations(x.copy())[-1], wanted)[0].sum()

    activations = stack.activations(x.copy())
    found = DenseHeads(np.empty_like(stack.weights), SIZES)
    stack.put_gradient(activations, loss.values(activations[-1], wanted)[1], found)
    for place in np.ndindex(stack.weights.shape):
        value = stack.weights[place]
        stack.weights[place] = value + 1e-5
        above = total()
        stack.weights[place] = value - 1e-5
        below = total()
        stack.weights[place] = value
        assert found.weights[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-5)


def test_the_focal_loss_without_gamma_is_the_crossentropy():
    logits = RANDOM.normal(size=(1, 7, 3)).astype(np.float32)
    wanted = Loss(0.2).targets(np.arange(7)[None] % 3, 3)
    for one, other in zip(
        Loss(0.2).values(logits, wanted), Loss(0.2, 0.0).values(logits, wanted), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_certain_and_wrong_answer_has_a_finite_loss():
    logits = np.array([[[200.0, -200.0, 0.0]]], np.float32)
    loss, gradient, probabilities = Loss().values(logits, Loss().targets(np.array([[1]]), 3))
    assert loss[0, 0] == pytest.approx(400)
    np.testing.assert_array_equal(gradient[0, 0], [1, -1, 0])
    np.testing.assert_array_equal(probabilities[0, 0], [1, 0, 0])


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    x = np.ones((2, 400, 500), np.float32)
    Dropout(np.array([0.25, 0.9]), seed=3, epoch=1).apply(x)
    assert (x == 0).mean(axis=(1, 2)) == pytest.approx([0.25, 0.9], abs=0.005)
    assert x.mean(axis=(1, 2)) == pytest.approx([1, 1], abs=0.02)
    assert np.unique(x[0]) == pytest.approx([0, 1 / 0.75])


def test_dropout_of_nearly_all_leaves_nearly_nothing():
    x = np.ones((1, 400, 500), np.float32)
    Dropout(np.array([0.999999]), seed=3, epoch=1).apply(x)
    assert 0 < (x != 0).sum() < 30  # 3 are expected


def test_dropout_follows_from_seed_and_epoch():
    def noise(seed, epoch, calls=1):
        dropout = Dropout(np.array([0.5]), seed, epoch)
        for _ in range(calls):
            x = np.ones((1, 8, 8), np.float32)
            dropout.apply(x)
        return x.tobytes()

    assert noise(1, 2) == noise(1, 2)
    assert len({noise(1, 2), noise(1, 3), noise(2, 2), noise(1, 2, calls=2)}) == 4


def test_initial_kernels_are_uniform_within_glorots_limit():
    sizes = (300, 200, 100)
    stack = DenseHeads(dense_heads.initial(sizes, seed=0)[None], sizes)
    for kernel, bias in stack.layers:
        limit = np.sqrt(6 / (kernel.shape[1] + kernel.shape[2]))
        assert abs(kernel).max() == pytest.approx(limit, rel=1e-3)
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
        assert not bias.any()
    assert (dense_heads.initial(sizes, 0) != dense_heads.initial(sizes, 1)).mean() > 0.9
