import numpy as np
import pytest

from trackbed.learning import determinism, halves, networks
from trackbed.learning.spec import Spec

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)


def network(seed=0):
    determinism.reproducible(seed)
    return networks.build("MobileNetV2", Spec(32, 3, 0.1))


def test_backbone_and_head_one_after_the_other_are_the_network():
    whole = network()
    backbone, head = halves.backbone(whole), halves.head(whole)
    embedded = backbone.predict(IMAGES, verbose=0)
    assert embedded.shape == (3, 1280)
    np.testing.assert_allclose(
        head.predict(embedded, verbose=0), whole.predict(IMAGES, verbose=0), rtol=1e-5
    )


def test_the_head_shares_the_weights_of_the_network():
    whole = network()
    head = halves.head(whole)
    for weight in head.trainable_weights:
        weight.assign(weight * 0 + 1)
    assert whole.predict(IMAGES, verbose=0) == pytest.approx(np.full((3, 3), 1 / 3))


def test_a_frozen_backbone_is_the_same_for_every_seed_and_its_head_is_not():
    first, second = network(0), network(1)
    assert halves.digest(halves.backbone(first)) == halves.digest(halves.backbone(second))
    weights = [halves.head(whole).get_weights()[0] for whole in (first, second)]
    assert not np.array_equal(*weights)


def test_another_weight_is_another_digest():
    backbone = halves.backbone(network())
    before = halves.digest(backbone)
    backbone.weights[0].assign_add(backbone.weights[0] * 0 + 1e-3)
    assert halves.digest(backbone) != before
