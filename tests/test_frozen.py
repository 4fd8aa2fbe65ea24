from types import SimpleNamespace

import pytest

from trackbed.learning import frozen, networks


def choices(**changes):
    usual = {"network": "rails", "unfreeze": "none", "head_epochs": 0, "augment": []}
    return SimpleNamespace(**usual | changes)


def test_a_frozen_backbone_without_augmentation_is_embedded():
    assert frozen.why_not(choices(), views=0) == ""
    assert frozen.why_not(choices(augment=["flip"]), views=3) == ""


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
    assert reason in frozen.why_not(choices(**changes), views=0)


def test_the_rule_of_names_fits_every_network():
    assert all(frozen.on_backbone(name) for name in networks.ON_BACKBONES)
    assert not any(frozen.on_backbone(name) for name in networks.FROM_SCRATCH)
