import math

import numpy as np
import pytest

from trackbed.learning import optimizers

SHAPE = {"decay_rate": 0.9, "decay_steps": 10_000, "steps": 100, "warmup": 0}


def rates(schedule, steps, **changes):
    rate = optimizers.learning_rate(schedule, 1e-4, **(SHAPE | changes))
    made = optimizers.optimizer("adam", rate, weight_decay=0, average=0)
    found = []
    for step in steps:
        made.iterations.assign(step)
        found.append(float(made.learning_rate))
    return found


def test_a_constant_learning_rate_stays():
    assert rates("constant", [0, 1000]) == pytest.approx([1e-4, 1e-4])


def test_exponential_decay_is_the_published_one():
    steps = [0, 5_000, 10_000, 20_000]
    expected = [1e-4 * 0.9 ** (step / 10_000) for step in steps]
    assert rates("exponential", steps) == pytest.approx(expected)


def test_cosine_is_half_a_cosine_over_all_steps():
    expected = [1e-4 * (1 + math.cos(math.pi * step / 100)) / 2 for step in (0, 25, 50, 100)]
    assert rates("cosine", [0, 25, 50, 100]) == pytest.approx(expected, abs=1e-10)


def test_the_warm_up_is_a_straight_line_to_the_rate():
    found = rates("cosine", [0, 5, 10, 55, 100], warmup=10)
    assert found == pytest.approx([0, 0.5e-4, 1e-4, 0.5e-4, 0], abs=1e-10)


@pytest.mark.parametrize(
    ("name", "after"),
    [
        # gradient 2, learning rate 0.1: Adam's first step is the rate itself
        ("adam", 1 - 0.1),
        # and with decay 0.5 AdamW takes 0.1 * 0.5 of the weight away
        ("adamw", 1 - 0.1 - 0.05),
        # Nesterov's first step is rate * gradient * (1 + momentum)
        ("sgd", 1 - 0.1 * 2 * 1.9),
    ],
)
def test_the_first_step_is_that_of_the_published_rule(name, after):
    import keras

    weight = keras.Variable(np.array([1.0], np.float32), name="kernel")
    made = optimizers.optimizer(name, 0.1, weight_decay=0.5, average=0)
    made.apply([np.array([2.0], np.float32)], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(after, rel=1e-4)


def test_biases_and_normalisation_do_not_decay():
    import keras

    made = optimizers.optimizer("adamw", 0.1, weight_decay=0.5, average=0)
    for name in ("bias", "gamma", "beta"):
        weight = keras.Variable(np.array([1.0], np.float32), name=name)
        made = optimizers.optimizer("adamw", 0.1, weight_decay=0.5, average=0)
        made.apply([np.array([2.0], np.float32)], [weight])
        assert float(weight.numpy()[0]) == pytest.approx(0.9, rel=1e-4)
