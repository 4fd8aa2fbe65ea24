import importlib.util

import numpy as np
import pytest
from pydantic import TypeAdapter

from trackbed.embedding import engines
from trackbed.networks import augmentation, embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 48, 48, 3), dtype=np.uint8)
OPENVINO = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None or importlib.util.find_spec("nncf") is None,
    reason="the extra openvino is not installed: make openvino",
)


@pytest.fixture(scope="module")
def backbone():
    tensorflow_setup.make_deterministic(0)
    return embeddings.backbone(registry.build("ResNet50V2", Spec(48, 3, 0.1)))


def relative_error(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(
    ("engine", "precision", "most"),
    [
        ("tensorflow", "float32", 1e-5),
        ("tensorflow", "bfloat16", 0.05),
        pytest.param("openvino", "float32", 1e-4, marks=OPENVINO),
        pytest.param("openvino", "bfloat16", 0.05, marks=OPENVINO),
        pytest.param("openvino", "int8", 0.3, marks=OPENVINO),
    ],
)
def test_every_engine_gives_what_keras_predicts(backbone, engine, precision, most):
    forward = engines.forward(backbone, engine, precision, IMAGES)
    found = np.concatenate([forward(IMAGES[:4]), forward(IMAGES[4:])])
    assert found.dtype == np.float32
    assert relative_error(found, backbone.predict(IMAGES, verbose=0)) < most


def test_bfloat16_does_not_leak_into_another_function(backbone):
    exact = engines.forward(backbone, "tensorflow", "float32", IMAGES)
    engines.forward(backbone, "tensorflow", "bfloat16", IMAGES)(IMAGES)
    assert relative_error(exact(IMAGES), backbone.predict(IMAGES, verbose=0)) < 1e-5


def test_int8_in_tensorflow_is_refused(backbone):
    with pytest.raises(UserError, match=r"int8 needs embed\.engine: openvino"):
        engines.forward(backbone, "tensorflow", "int8", IMAGES)


VIEWED = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
FLIP = [{"name": "flip", "mode": "horizontal"}]
BRIGHTER = [{"name": "brightness", "factor": "0.5"}]


def views_of(spec, seed=0, count=4):
    changes = TypeAdapter(augmentation.Changes).validate_python(spec)
    functions = engines.augmented_views(lambda images: images, changes, seed, count)
    return np.stack([function(VIEWED) for function in functions])


def test_a_view_is_the_image_as_the_augmentation_changes_it():
    for view in views_of(FLIP):
        for image, original in zip(view, VIEWED, strict=True):
            assert np.array_equal(image, original) or np.array_equal(image, original[:, ::-1])


def test_views_differ_from_one_another_and_the_seed_decides_them():
    first = views_of(BRIGHTER)
    assert len(np.unique(first.mean(axis=(1, 2, 3, 4)))) == 4
    assert np.array_equal(first, views_of(BRIGHTER))
    assert not np.array_equal(first, views_of(BRIGHTER, seed=1))


def test_changes_that_mix_labels_are_refused():
    with pytest.raises(UserError, match=r"embed\.views: mixup in train\.augment mixes labels"):
        views_of([*FLIP, {"name": "mixup", "alpha": "0.4"}])
