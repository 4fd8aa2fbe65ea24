import sys

import keras
import numpy as np
import pytest

from trackbed.networks import backbones, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)


def trained(network):
    """Names of the backbone's layers that train."""
    base = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    return [layer.name for layer in base.layers if layer.trainable]


@pytest.mark.parametrize(
    "name", ["ResNet50", "ResNet50V2", "DenseNet121", "VGG16", "MobileNetV3Small", "EfficientNetB0"]
)
def test_the_input_is_rescaled_as_by_keras(name):
    inputs = keras.Input((32, 32, 3))
    model = keras.Model(inputs, backbones.rescaled(inputs, name))
    builder = getattr(keras.applications, name)
    expected = sys.modules[builder.__module__].preprocess_input(IMAGES.copy())
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), expected, rtol=1e-4, atol=1e-3)


def test_a_backbone_by_name_survives_saving(tmp_path):
    network = registry.build("ResNet50", Spec(32, 3, 0.1))
    network.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_allclose(
        loaded.predict(IMAGES, verbose=0), network.predict(IMAGES, verbose=0), rtol=1e-5
    )


def test_unit_scaling_is_the_published_notebooks():
    network = registry.build("rails", Spec(32, 3, 0.1, scaling="unit"))
    layer = next(layer for layer in network.layers if layer.name.startswith("rescaling"))
    np.testing.assert_allclose(layer(np.array([0.0, 255.0])), [0, 1])


@pytest.mark.parametrize(
    ("which", "count", "first"),
    [
        ("none", 0, None),
        ("all", 154, None),  # the layers of MobileNetV2 without its top
        ("3", 3, "Conv_1"),
        ("block_16_expand", 11, "block_16_expand"),  # eight of the block, three behind it
    ],
)
def test_unfreezing_by_number_by_name_all_and_none(which, count, first):
    names = trained(registry.build("MobileNetV2", Spec(32, 3, 0.1, unfreeze=which)))
    assert len(names) == count
    assert first is None or names[0] == first


@pytest.mark.parametrize("which", ["blok_16", "99999"])
def test_a_layer_that_is_not_there_is_refused(which):
    with pytest.raises(UserError, match=rf"train.unfreeze: .* has 154 layers, .* got {which}"):
        registry.build("MobileNetV2", Spec(32, 3, 0.1, unfreeze=which))


def test_an_image_side_too_small_for_the_backbone_is_an_error():
    with pytest.raises(UserError, match=r"train.image_side: Xception: .*71"):
        registry.build("Xception", Spec(32, 3, 0.1))


@pytest.mark.parametrize("pretrained", [True, False])
def test_fine_tuning_keeps_pretrained_statistics(tmp_path, pretrained):
    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    path = tmp_path / "some.weights.h5"
    base.save_weights(path)
    weights = str(path) if pretrained else "none"
    network = registry.build("MobileNetV2", Spec(32, 3, 0.1, weights=weights, unfreeze="all"))
    network.compile("sgd", "sparse_categorical_crossentropy")
    statistics = [w for w in network.non_trainable_weights if "moving" in w.path]
    before = [weight.numpy().copy() for weight in statistics]
    network.fit(IMAGES, np.array([0, 1]), verbose=0)
    same = [np.array_equal(a, b.numpy()) for a, b in zip(before, statistics, strict=True)]
    assert statistics
    assert all(same) if pretrained else not any(same)
