from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from trackbed.networks.registry import build
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.training import batch_normalization, checkpoint, optimization


def network(*, precision="float32"):
    tensorflow_setup.make_deterministic(0, precision)
    return build("small_cnn", Spec(32, 3, width=0.5))


def examples(images):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
    return pixels, np.eye(3, dtype=np.float32)[random.integers(0, 3, images)]


def losses(model, *, epochs=3):
    model.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy", jit_compile=False)
    fitted = model.fit(*examples(20), batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return fitted.history["loss"]


def moving(model):
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return layers, [layer.moving_variance.numpy() for layer in layers]


@pytest.fixture(autouse=True)
def float32_afterwards():
    yield
    keras.mixed_precision.set_global_policy("float32")


def test_training_goes_as_with_keras_own_layer():
    plain, quick = network(), network()
    batch_normalization.prepare(quick)
    np.testing.assert_allclose(losses(quick), losses(plain), rtol=1e-4)
    operations = tf.function(partial(quick, training=True)).get_concrete_function(
        tf.TensorSpec((8, 32, 32, 3), tf.uint8)
    )
    assert "FusedBatchNormV3" in {one.type for one in operations.graph.get_operations()}
    np.testing.assert_allclose(moving(quick)[1][-1], moving(plain)[1][-1], rtol=1e-3)
    pixels = examples(5)[0]
    np.testing.assert_allclose(quick(pixels), plain(pixels), atol=1e-3)


def test_bfloat16_keeps_its_statistics_in_float32():
    plain, quick = network(precision="mixed_bfloat16"), network(precision="mixed_bfloat16")
    batch_normalization.prepare(quick)
    np.testing.assert_allclose(losses(quick, epochs=1), losses(plain, epochs=1), rtol=1e-2)
    assert moving(quick)[1][0].dtype == np.float32


def test_a_batch_by_hand_moves_the_averages_as_the_formula_says():
    layer = keras.layers.BatchNormalization(momentum=0.75, epsilon=1e-3)
    inputs = keras.Input((1, 2, 1))
    model = keras.Model(inputs, layer(inputs))
    batch_normalization.prepare(model)
    batch = np.array([1, 3, 5, 7], np.float32).reshape(2, 1, 2, 1)  # mean 4, variance 5
    out = model(batch, training=True)
    np.testing.assert_allclose(np.ravel(out), (np.array([1, 3, 5, 7]) - 4) / 5.001**0.5, rtol=1e-5)
    assert layer.moving_mean.numpy() == pytest.approx(0.25 * 4)
    assert layer.moving_variance.numpy() == pytest.approx(0.75 * 1 + 0.25 * 5)


@pytest.mark.parametrize(
    ("average", "first", "expected"),
    [
        (0.0, True, [0.1, 2 / 11, 0.75]),  # (1 + t) / (10 + t), at most that of the layer
        (0.99, True, [0.1, 2 / 11, 101 / 110]),
        (0.99, False, [0.99, 0.99, 0.99]),
        (0.5, False, [0.75, 0.75, 0.75]),
    ],
)
@pytest.mark.parametrize("scale", [True, False])  # without a scale it is not one operation
def test_the_statistics_follow_the_average_of_the_weights(average, first, expected, scale):
    layer, model = one_layer(scale=scale)
    momentum = batch_normalization.prepare(model)
    optimizer = optimization.optimizer("sgd", 0.1, weight_decay=0, average=average)
    momentum.follow(optimizer, first=first)
    for step, wanted in zip((0, 1, 100), expected, strict=True):
        layer.moving_mean.assign([8.0])
        optimizer.iterations.assign(step)
        model(np.full((2, 1, 1, 1), 4, np.float32), training=True)
        assert layer.moving_mean.numpy() == pytest.approx(wanted * 8 + (1 - wanted) * 4)
    assert layer.get_config()["momentum"] == 0.75


def one_layer(**options):
    layer = keras.layers.BatchNormalization(momentum=0.75, **options)
    inputs = keras.Input((1, 1, 1))
    return layer, keras.Model(inputs, layer(inputs))


def test_statistics_that_are_there_are_not_forgotten():
    layer, model = one_layer()
    layer.moving_mean.assign([8.0])
    momentum = batch_normalization.prepare(model)
    momentum.follow(optimization.optimizer("sgd", 0.1, weight_decay=0, average=0), first=True)
    model(np.full((2, 1, 1, 1), 4, np.float32), training=True)
    assert layer.moving_mean.numpy() == pytest.approx(0.75 * 8 + 0.25 * 4)


def test_a_frozen_layer_keeps_its_statistics():
    model = network()
    batch_normalization.prepare(model)
    layers, before = moving(model)
    for layer in layers:
        layer.trainable = False
    model(examples(4)[0], training=True)
    for value, kept in zip(moving(model)[1], before, strict=True):
        np.testing.assert_array_equal(value, kept)


def test_the_saved_model_holds_nothing_of_it(tmp_path):
    model = network()
    batch_normalization.prepare(model)
    losses(model, epochs=1)
    checkpoint.save(tmp_path, model, ["a", "b", "c"])
    loaded, _ = checkpoint.load(tmp_path)
    assert type(moving(loaded)[0][0]) is keras.layers.BatchNormalization
    pixels = examples(5)[0]
    np.testing.assert_array_equal(
        loaded.predict(pixels, verbose=0), model.predict(pixels, verbose=0)
    )


def ghosts(parts=2):
    """A layer of batch normalisation that takes its batches in parts."""
    layer, model = one_layer(epsilon=1e-3)
    batch_normalization.prepare(model, parts)
    return layer, batch_normalization.GhostBatches(model, parts)


def test_each_part_is_normalised_by_its_own_statistics():
    values = np.arange(16.0, dtype=np.float32) ** 2
    out = np.ravel(ghosts()[1](values.reshape(16, 1, 1, 1), training=True))
    halves = [(half - half.mean()) / (half.var() + 1e-3) ** 0.5 for half in np.split(values, 2)]
    np.testing.assert_allclose(out, np.concatenate(halves), rtol=1e-4, atol=1e-5)


def test_a_small_batch_stays_whole():
    values = np.arange(15.0, dtype=np.float32)
    layer, model = ghosts()
    out = np.ravel(model(values.reshape(15, 1, 1, 1), training=True))
    np.testing.assert_allclose(out, (values - 7) / (values.var() + 1e-3) ** 0.5, rtol=1e-4)
    assert layer.moving_mean.numpy() == pytest.approx(0.25 * 7)


@pytest.mark.parametrize("images", [1, 16, 33])
def test_a_step_forgets_as_much_as_with_a_whole_batch(images):
    layer, model = ghosts()
    model(np.full((images, 1, 1, 1), 4, np.float32), training=True)
    assert layer.moving_mean.numpy() == pytest.approx(0.25 * 4)


def test_parts_change_no_answer_of_a_trained_network():
    model, pixels = network(), examples(17)[0]
    parts = batch_normalization.GhostBatches(model, 3)
    np.testing.assert_allclose(parts(pixels), model(pixels), atol=1e-6)
