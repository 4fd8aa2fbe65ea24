from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import TypeAdapter

from trackbed.embedding import views
from trackbed.networks import augmentation, registry
from trackbed.pipeline.errors import UserError


def choices(**changes):
    usual = {"network": "rails", "unfreeze": "none", "head_epochs": 0, "augment": []}
    return SimpleNamespace(**usual | changes)


def test_a_frozen_backbone_without_augmentation_is_embedded():
    assert views.reason_not_frozen(choices(), views=0) == ""
    assert views.reason_not_frozen(choices(augment=["flip"]), views=3) == ""


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
    assert reason in views.reason_not_frozen(choices(**changes), views=0)


def test_the_rule_of_names_fits_every_network():
    assert all(views.on_backbone(name) for name in registry.ON_BACKBONES)
    assert not any(views.on_backbone(name) for name in registry.FROM_SCRATCH)


IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
FLIP = [{"name": "flip", "mode": "horizontal"}]
BRIGHTER = [{"name": "brightness", "factor": "0.5"}]


def views_of(spec, seed=0, count=4):
    changes = TypeAdapter(augmentation.Changes).validate_python(spec)
    functions = views.augmented(lambda images: images, changes, seed, count)
    return np.stack([function(IMAGES) for function in functions])


def test_a_view_is_the_image_as_the_augmentation_changes_it():
    for view in views_of(FLIP):
        for image, original in zip(view, IMAGES, strict=True):
            assert np.array_equal(image, original) or np.array_equal(image, original[:, ::-1])


def test_views_differ_from_one_another_and_the_seed_decides_them():
    first = views_of(BRIGHTER)
    assert len(np.unique(first.mean(axis=(1, 2, 3, 4)))) == 4
    assert np.array_equal(first, views_of(BRIGHTER))
    assert not np.array_equal(first, views_of(BRIGHTER, seed=1))


def test_changes_that_mix_labels_are_refused():
    with pytest.raises(UserError, match=r"embed\.views: mixup in train\.augment mixes labels"):
        views_of([*FLIP, {"name": "mixup", "alpha": "0.4"}])
