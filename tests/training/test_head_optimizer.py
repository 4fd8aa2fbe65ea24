"""Schedules against Keras'; whole trainings are compared in test_head_training."""

from pathlib import Path

import numpy as np
import pytest

from trackbed.pipeline import params
from trackbed.training import head_optimizer, optimization
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"


def point(**changes):
    return params.load("train", TrainParams, PARAMS).model_copy(update=changes)


@pytest.mark.parametrize("schedule", ["constant", "exponential", "cosine"])
@pytest.mark.parametrize("warmup", [0, 2, 9])
def test_a_schedule_is_that_of_keras(schedule, warmup):
    p = point(schedule=schedule, warmup_epochs=warmup, epochs=5, decay_steps=13, learning_rate=0.3)
    theirs = optimization.rate_of(p, p.learning_rate, p.epochs, 7)
    expected = [float(theirs(step) if callable(theirs) else theirs) for step in range(36)]
    found = [0.3 * head_optimizer.rate_share(p, step, 7) for step in range(36)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_the_gradient_of_each_head_is_clipped_alone():
    p = point(optimizer="sgd", clip_norm=1.0, average=0.0)
    heads = DenseHeads(np.zeros((2, 4), np.float32), (3, 1))
    optimizer = head_optimizer.Optimizer(p, heads)
    optimizer.step(np.array([[3, 4, 0, 0], [0.3, 0.4, 0, 0]], np.float32), np.ones(2))
    # The first step of Nesterov's momentum is 1.9 times the gradient.
    expected = [[-1.14, -1.52, 0, 0], [-0.57, -0.76, 0, 0]]
    np.testing.assert_allclose(heads.weights, expected, rtol=1e-6)


def test_only_kernels_decay():
    p = point(optimizer="adamw", weight_decay=0.5, average=0.0)
    heads = DenseHeads(np.ones((1, 4), np.float32), (3, 1))
    optimizer = head_optimizer.Optimizer(p, heads)
    optimizer.step(np.zeros((1, 4), np.float32), np.array([0.1]))
    np.testing.assert_allclose(heads.weights, [[0.95, 0.95, 0.95, 1]])


def test_momenta_that_have_faded_are_zero():
    p = point(optimizer="sgd", average=0.0)
    heads = DenseHeads(np.zeros((1, 4), np.float32), (3, 1))
    optimizer = head_optimizer.Optimizer(p, heads)
    gradient = np.array([[1, 0, 0, 0]], np.float32)
    for _ in range(1024):  # 0.9 ** 1024 is 1e-47
        optimizer.step(gradient, np.ones(1))
        gradient[:] = 0
    assert not optimizer.first.any()
    assert heads.weights[0, 0] == pytest.approx(-10, rel=1e-5)
