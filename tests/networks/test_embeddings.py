from types import SimpleNamespace

import numpy as np
import pytest

from trackbed.networks import embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup

IMAGES_OF_HALVES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)


def network(seed=0):
    tensorflow_setup.make_deterministic(seed)
    return registry.build("MobileNetV2", Spec(32, 3, 0.1))


def test_backbone_and_head_one_after_the_other_are_the_network():
    whole = network()
    backbone, head = embeddings.backbone(whole), embeddings.head(whole)
    embedded = backbone.predict(IMAGES_OF_HALVES, verbose=0)
    assert embedded.shape == (3, 1280)
    np.testing.assert_allclose(
        head.predict(embedded, verbose=0), whole.predict(IMAGES_OF_HALVES, verbose=0), rtol=1e-5
    )


def test_the_head_shares_the_weights_of_the_network():
    whole = network()
    head = embeddings.head(whole)
    for weight in head.trainable_weights:
        weight.assign(weight * 0 + 1)
    assert whole.predict(IMAGES_OF_HALVES, verbose=0) == pytest.approx(np.full((3, 3), 1 / 3))


def test_the_seed_changes_the_head_but_no_frozen_backbone():
    first, second = network(0), network(1)
    assert embeddings.weights_digest(embeddings.backbone(first)) == embeddings.weights_digest(
        embeddings.backbone(second)
    )
    weights = [embeddings.head(whole).get_weights()[0] for whole in (first, second)]
    assert not np.array_equal(*weights)


def test_another_weight_is_another_digest():
    backbone = embeddings.backbone(network())
    before = embeddings.weights_digest(backbone)
    backbone.weights[0].assign_add(backbone.weights[0] * 0 + 1e-3)
    assert embeddings.weights_digest(backbone) != before


def choices(**changes):
    usual = {"network": "rails", "unfreeze": "none", "head_epochs": 0, "augment": []}
    return SimpleNamespace(**usual | changes)


def test_a_frozen_backbone_without_augmentation_is_embedded():
    assert embeddings.reason_not_frozen(choices(), views=0) == ""
    assert embeddings.reason_not_frozen(choices(augment=["flip"]), views=3) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "small_cnn"}, "small_cnn has no backbone"),
        ({"unfreeze": "all"}, "is trained"),
        ({"unfreeze": "3"}, "is trained"),
        ({"head_epochs": 2}, "is trained"),
        ({"augment": ["flip"]}, "changes every image in every epoch"),
    ],
)
def test_why_a_network_is_not_embedded(changes, reason):
    assert reason in embeddings.reason_not_frozen(choices(**changes), views=0)


def test_the_rule_of_names_fits_every_network():
    assert all(embeddings.on_backbone(name) for name in registry.ON_BACKBONES)
    assert not any(embeddings.on_backbone(name) for name in registry.FROM_SCRATCH)
