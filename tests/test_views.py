import numpy as np
import pytest
from pydantic import TypeAdapter

from trackbed.learning import augment, views
from trackbed.problems import Problem

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
FLIP = [{"name": "flip", "mode": "horizontal"}]
BRIGHTER = [{"name": "brightness", "factor": "0.5"}]


def drawn(spec, seed=0, count=4):
    changes = TypeAdapter(augment.Changes).validate_python(spec)
    functions = views.drawn(lambda images: images, changes, seed, count)
    return np.stack([function(IMAGES) for function in functions])


def test_a_view_is_the_image_as_the_augmentation_changes_it():
    for view in drawn(FLIP):
        for image, original in zip(view, IMAGES, strict=True):
            assert np.array_equal(image, original) or np.array_equal(image, original[:, ::-1])


def test_views_differ_from_one_another_and_the_seed_decides_them():
    first = drawn(BRIGHTER)
    assert len(np.unique(first.mean(axis=(1, 2, 3, 4)))) == 4
    assert np.array_equal(first, drawn(BRIGHTER))
    assert not np.array_equal(first, drawn(BRIGHTER, seed=1))


def test_changes_that_mix_labels_are_refused():
    with pytest.raises(Problem, match=r"embed\.views: mixup in train\.augment mixes labels"):
        drawn([*FLIP, {"name": "mixup", "alpha": "0.4"}])
