import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers

from trackbed.exporting import onnx_export
from trackbed.exporting.convertible_copy import convertible_copy

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)


@pytest.fixture
def network():
    """The operations of a ConvNeXt block, in a nested backbone."""
    keras.utils.set_random_seed(0)
    inner = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 2, strides=2)(inner)
    x = layers.Conv2D(8, 3, padding="same", groups=8, bias_initializer="normal")(x)
    x = layers.Activation("gelu")(layers.Dense(16)(layers.LayerNormalization()(x)))
    backbone = keras.Model(inner, x, name="backbone")
    pixels = keras.Input((12, 12, 3))
    x = layers.GlobalAveragePooling2D()(backbone(layers.Rescaling(1 / 255)(pixels)))
    return keras.Model(pixels, layers.Dense(4, "softmax")(x), name="network")


def test_the_copy_is_the_same_function_and_exports(network):
    copy = convertible_copy(network)
    expected = network(IMAGES.astype(np.float32))
    np.testing.assert_allclose(copy(IMAGES.astype(np.float32)), expected, atol=1e-6)
    assert copy.name == "network"
    session = onnxruntime.InferenceSession(onnx_export.onnx_bytes(onnx_export.traced(copy)))
    (found,) = session.run(["probabilities"], {"images": IMAGES})
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_original_is_left_as_it_is(network):
    before = network.get_config()
    assert convertible_copy(network) is not network
    assert network.get_config() == before


def test_a_network_without_such_layers_is_not_copied():
    pixels = keras.Input((12, 12, 3))
    x = layers.Conv2D(4, 3, groups=1)(pixels)
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.GlobalAveragePooling2D()(layers.Activation("relu")(x))
    network = keras.Model(pixels, layers.Dense(2, "softmax")(x))
    assert convertible_copy(network) is network
