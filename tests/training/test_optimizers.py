import keras
import numpy as np
import pytest

from trackbed.training import optimization, optimizers

SHAPES = {"kernel": (3, 4), "bias": (4,), "gamma": (4,), "conv/kernel": (2, 2, 3, 5)}
RANDOM = np.random.default_rng(0)
START = [RANDOM.normal(size=shape).astype(np.float32) for shape in SHAPES.values()]
GRADIENTS = [
    [RANDOM.normal(size=shape).astype(np.float32) for shape in SHAPES.values()] for _ in range(12)
]
NAMES = ("adam", "adamw", "sgd")
OF_KERAS = {
    "adam": lambda rate, **more: keras.optimizers.Adam(rate, **more),
    "adamw": lambda rate, **more: keras.optimizers.AdamW(rate, weight_decay=0.1, **more),
    "sgd": lambda rate, **more: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **more),
}


def weights():
    return [
        keras.Variable(value, name=name.rpartition("/")[2])
        for name, value in zip(SHAPES, START, strict=True)
    ]


def ours(name, rate, average=0.0, clip_norm=0.0):
    return optimization.optimizer(
        name, rate, weight_decay=0.1, average=average, clip_norm=clip_norm
    )


def trained(optimizer):
    variables = weights()
    for gradients in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(one) for one in gradients], variables)
    return variables


def assert_equal(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("clip_norm", [0.0, 1.5])
@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_those_of_keras(name, clip_norm):
    more = {"global_clipnorm": clip_norm} if clip_norm else {}
    expected = OF_KERAS[name](0.05, **more)
    if name == "adamw":
        expected.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    assert_equal(trained(ours(name, 0.05, clip_norm=clip_norm)), trained(expected))


def test_a_schedule_is_followed_step_by_step():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 12)
    assert_equal(trained(ours("adam", schedule)), trained(OF_KERAS["adam"](schedule)))


def test_weights_set_from_outside_count_in_the_next_step():
    optimizer, variables = ours("sgd", 0.1), weights()
    nothing = [keras.ops.zeros(shape) for shape in SHAPES.values()]
    optimizer.apply(nothing, variables)
    for variable in variables:
        variable.assign(keras.ops.ones_like(variable))
    optimizer.apply(nothing, variables)
    for variable in variables:
        np.testing.assert_allclose(variable.numpy(), 1)


@pytest.mark.parametrize("name", NAMES)
def test_averages_replace_the_weights_at_the_end(name):
    optimizer = ours(name, 0.05, average=0.5)
    variables, expected = weights(), None
    for step, gradients in enumerate(GRADIENTS):
        optimizer.apply([keras.ops.convert_to_tensor(one) for one in gradients], variables)
        momentum = min(0.5, (1 + step) / (10 + step)) if step else 0
        values = [variable.numpy() for variable in variables]
        expected = [
            momentum * before + (1 - momentum) * value
            for before, value in zip(expected or values, values, strict=True)
        ]
    optimizer.finalize_variable_values(variables)
    for variable, value in zip(variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5, atol=1e-6)


def test_weights_and_averages_are_exchanged_and_back_without_rounding():
    optimizer = ours("adam", 0.05, average=0.9)
    variables = weights()
    for gradients in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(one) for one in gradients], variables)
    trained_values = [variable.numpy() for variable in variables]
    optimizer.exchange_averages()
    averages = [variable.numpy() for variable in variables]
    assert not any(map(np.array_equal, averages, trained_values))
    optimizer.exchange_averages()
    assert all(map(np.array_equal, [one.numpy() for one in variables], trained_values))
    optimizer.finalize_variable_values(variables)
    assert all(map(np.array_equal, [one.numpy() for one in variables], averages))


def test_a_network_of_biases_alone_trains():
    variable = keras.Variable([1.0], name="bias")
    optimizer = ours("adamw", 0.1)
    optimizer.apply([keras.ops.ones((1,))], [variable])
    assert float(variable.numpy()[0]) == pytest.approx(0.9, rel=1e-4)


def test_a_weight_without_gradient_stays():
    optimizer, variables = ours("adam", 0.1), weights()
    first = [keras.ops.convert_to_tensor(one) for one in GRADIENTS[0]]
    optimizer.apply([None, *first[1:]], variables)
    np.testing.assert_array_equal(variables[0].numpy(), START[0])
    assert not np.array_equal(variables[1].numpy(), START[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_scaled_loss_of_float16_gives_the_same_weights(name):
    plain = trained(ours(name, 0.05))
    scaled = keras.optimizers.LossScaleOptimizer(ours(name, 0.05), initial_scale=2.0)
    variables = weights()
    for gradients in GRADIENTS:
        scaled.apply([2 * keras.ops.convert_to_tensor(one) for one in gradients], variables)
    assert_equal(variables, plain)


def test_all_kernels_are_one_vector():
    optimizer = ours("adam", 0.1)
    optimizer.build(weights())
    assert [vector.shape for vector in optimizer.vectors] == [(12 + 60,), (8,)]
    assert isinstance(optimizer, optimizers.Adam)
