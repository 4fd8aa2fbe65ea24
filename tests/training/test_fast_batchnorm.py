from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from trackbed.networks.registry import build
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.training import checkpoint, fast_batchnorm


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
    fast_batchnorm.fuse(quick)
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
    fast_batchnorm.fuse(quick)
    np.testing.assert_allclose(losses(quick, epochs=1), losses(plain, epochs=1), rtol=1e-2)
    assert moving(quick)[1][0].dtype == np.float32


def test_a_batch_by_hand_moves_the_averages_as_the_formula_says():
    layer = keras.layers.BatchNormalization(momentum=0.75, epsilon=1e-3)
    inputs = keras.Input((1, 2, 1))
    model = keras.Model(inputs, layer(inputs))
    fast_batchnorm.fuse(model)
    batch = np.array([1, 3, 5, 7], np.float32).reshape(2, 1, 2, 1)  # mean 4, variance 5
    out = model(batch, training=True)
    np.testing.assert_allclose(np.ravel(out), (np.array([1, 3, 5, 7]) - 4) / 5.001**0.5, rtol=1e-5)
    assert layer.moving_mean.numpy() == pytest.approx(0.25 * 4)
    assert layer.moving_variance.numpy() == pytest.approx(0.75 * 1 + 0.25 * 5)


def test_a_frozen_layer_keeps_its_statistics():
    model = network()
    fast_batchnorm.fuse(model)
    layers, before = moving(model)
    for layer in layers:
        layer.trainable = False
    model(examples(4)[0], training=True)
    for value, kept in zip(moving(model)[1], before, strict=True):
        np.testing.assert_array_equal(value, kept)


def test_the_saved_model_holds_nothing_of_it(tmp_path):
    model = network()
    fast_batchnorm.fuse(model)
    losses(model, epochs=1)
    checkpoint.save(tmp_path, model, ["a", "b", "c"])
    loaded, _ = checkpoint.load(tmp_path)
    assert type(moving(loaded)[0][0]) is keras.layers.BatchNormalization
    pixels = examples(5)[0]
    np.testing.assert_array_equal(
        loaded.predict(pixels, verbose=0), model.predict(pixels, verbose=0)
    )
