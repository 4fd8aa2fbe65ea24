import keras
import numpy as np
import pytest
from keras import layers

from trackbed.exporting.network_parts import parts
from trackbed.networks import registry
from trackbed.networks.spec import Spec


def spec(side=32):
    return Spec(side, 3, units=8)


@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV2", "rails"])
def test_a_pooled_network_has_features_embedding_and_head(name):
    model = registry.build(name, spec())
    found = parts(model)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    cut = keras.Model(model.inputs, [found.features, found.embedding])
    features, embedding = (each.numpy() for each in cut(images))
    np.testing.assert_allclose(features.mean(axis=(1, 2)), embedding, rtol=1e-4, atol=1e-6)
    expected = model(images).numpy()
    np.testing.assert_allclose(found.head.probabilities(embedding), expected, atol=1e-6)
    assert len(found.head.layers) == (4 if name == "rails" else 1)


def test_a_flattened_network_has_its_last_hidden_layer():
    found = parts(registry.build("scenes_overfit", spec(150)))
    assert (found.embedding.shape, found.features) == ((None, 8), None)
    assert [layer.activation for layer in found.head.layers] == ["softmax"]


def test_a_head_with_other_layers_is_not_taken_for_a_dense_one():
    pixels = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(pixels)
    x = layers.BatchNormalization()(layers.Dense(4, "relu")(x))
    found = parts(keras.Model(pixels, layers.Dense(2, "softmax")(x)))
    assert found.embedding.shape == (None, 3)
    assert found.head is None
