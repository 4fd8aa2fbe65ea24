import h5py
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from trackbed.networks import registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError


def counts(model):
    return [
        sum(int(np.prod(weight.shape)) for weight in weights)
        for weights in (model.trainable_weights, model.non_trainable_weights)
    ]


def test_rails_has_the_published_numbers_of_parameters():
    network = registry.build("rails", Spec(64, 5, 0.3))
    trainable, frozen = counts(network)
    assert trainable == 133_829
    assert frozen == 23_564_800


def test_gtsrb_trains_the_whole_backbone():
    network = registry.build("gtsrb", Spec(64, 43, 0.4, unfreeze="all"))
    trainable, fixed = counts(network)
    assert trainable + fixed == 23_587_712 + 2048 * 43 + 43
    assert fixed == 53_120  # the statistics of ResNet50's batch normalisation


def test_rails_rescales_as_the_imagenet_weights_expect():
    network = registry.build("rails", Spec(64, 5, 0.3))
    rescaling = next(layer for layer in network.layers if layer.name.startswith("rescaling"))
    np.testing.assert_allclose(rescaling(np.array([0.0, 127.5, 255.0])), [-1, 0, 1], atol=1e-6)


def test_an_unknown_network_is_refused_with_the_known_names():
    with pytest.raises(
        UserError, match=r"train.network: must be one of small_cnn, .*MobileNetV2, got vgg"
    ):
        registry.build("vgg", Spec(32, 2, 0))


def test_small_cnn_refuses_pretrained_weights():
    with pytest.raises(UserError, match=r"train.weights: small_cnn is trained from scratch"):
        registry.build("small_cnn", Spec(32, 2, 0, weights="imagenet"))


def test_a_missing_weights_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"nowhere.h5: no such file"):
        registry.build("rails", Spec(64, 2, 0, weights=str(tmp_path / "nowhere.h5")))


def test_a_weights_file_of_another_network_is_refused(tmp_path):
    other = registry.build("small_cnn", Spec(32, 2, 0))
    path = tmp_path / "other.weights.h5"
    other.save_weights(path)
    with pytest.raises(UserError, match="must hold the weights of ResNet50V2 without its top"):
        registry.build("rails", Spec(64, 2, 0, weights=str(path)))


def test_a_weights_file_is_loaded_into_the_backbone(tmp_path):
    backbone = registry.build("rails", Spec(64, 2, 0)).get_layer("resnet50v2")
    path = tmp_path / "notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, backbone)
    loaded = registry.build("rails", Spec(64, 2, 0, weights=str(path)))
    ours = loaded.get_layer("resnet50v2").get_weights()
    for own, given in zip(ours, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(own, given)


def test_unreachable_imagenet_weights_are_an_error_with_a_remedy(monkeypatch, tmp_path):
    # An empty Keras home and a proxy that refuses: what a machine without internet sees.
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"notop\*\.h5 file that it puts into ~/\.keras/models"):
        registry.build("rails", Spec(64, 2, 0, weights="imagenet"))
