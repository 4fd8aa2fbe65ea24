import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from trackbed.networks import augmentation

CHANGES = TypeAdapter(augmentation.Changes)
EVERY = [
    {"name": "flip", "mode": "horizontal"},
    {"name": "rotation", "degrees": "10"},
    {"name": "zoom", "factor": "0.2"},
    {"name": "translation", "factor": "0.2"},
    {"name": "brightness", "factor": "0.2"},
    {"name": "contrast", "factor": "0.3"},
    {"name": "saturation", "low": "0.2", "high": "0.4"},
    {"name": "hue", "factor": "0.2"},
    {"name": "perspective", "scale": "0.3"},
    {"name": "erasing", "factor": "1", "area": "0.3"},
    {"name": "rand_augment", "count": "2", "factor": "0.5"},
]
MIXING = [{"name": "mixup", "alpha": "0.4"}, {"name": "cutmix"}]
IMAGES = np.random.default_rng(0).integers(0, 256, (16, 12, 12, 3)).astype(np.float32)


def changed(spec, seed=0, training=True):
    applied = augmentation.build(CHANGES.validate_python(spec), seed)
    images = applied.geometry.changed(IMAGES) if training and applied.geometry else IMAGES
    for layer in applied.layers:
        images = layer(images, training=training)
    return np.asarray(images)


@pytest.mark.parametrize("change", EVERY, ids=lambda change: change["name"])
def test_a_change_keeps_shape_and_range_and_does_something(change):
    images = changed([change])
    assert images.shape == IMAGES.shape
    assert images.min() >= 0
    assert images.max() <= 255
    assert not np.array_equal(images, IMAGES)


@pytest.mark.parametrize("change", EVERY, ids=lambda change: change["name"])
def test_a_change_does_nothing_outside_training(change):
    np.testing.assert_allclose(changed([change], training=False), IMAGES, atol=1e-3)


def test_the_seed_decides():
    np.testing.assert_array_equal(changed(EVERY, seed=1), changed(EVERY, seed=1))
    assert not np.array_equal(changed(EVERY, seed=1), changed(EVERY, seed=2))


def test_equal_changes_in_one_list_have_their_own_seeds():
    first, second = augmentation.layers(CHANGES.validate_python([EVERY[4]] * 2), seed=3)
    assert not np.allclose(first(IMAGES, training=True), second(IMAGES, training=True))


def test_a_horizontal_flip_mirrors_or_leaves_alone():
    mirrored = IMAGES[:, :, ::-1]
    for image, own, other in zip(changed(EVERY[:1]), IMAGES, mirrored, strict=True):
        assert np.array_equal(image, own) or np.array_equal(image, other)


def test_a_translation_moves_pixels_and_mixes_none():
    # Interpolated pixels would be blurred ones.
    for image, own in zip(changed([EVERY[3]]), IMAGES, strict=True):
        colours = {tuple(pixel) for pixel in own.reshape(-1, 3)}
        assert {tuple(pixel) for pixel in image.reshape(-1, 3).astype(int)} <= colours


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "spin"},
        {"name": "flip", "mode": "sideways"},
        {"name": "zoom", "factor": 1.5},
        {"name": "zoom", "factor": 0.1, "speed": 2},
        {"factor": 0.1},
    ],
)
def test_a_wrong_change_is_refused(spec):
    with pytest.raises(ValidationError):
        CHANGES.validate_python([spec])


@pytest.mark.parametrize("change", MIXING, ids=lambda change: change["name"])
def test_mixing_mixes_images_and_labels_by_the_same_share(change):
    # Black and white images of two classes: brightness and label are the same share.
    images = np.zeros((16, 16, 16, 3), np.float32)
    images[::2] = 255
    labels = np.eye(2, dtype=np.float32)[np.arange(16) % 2]
    (mixer,) = augmentation.mixers(CHANGES.validate_python([change]), seed=3)
    mixed = mixer({"images": images, "labels": labels}, training=True)
    shares = np.asarray(mixed["labels"])
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    brightness = np.asarray(mixed["images"]).mean(axis=(1, 2, 3)) / 255
    np.testing.assert_allclose(brightness, shares[:, 0], atol=1e-5)
    assert np.ptp(shares[:, 0]) > 0
    assert augmentation.layers(CHANGES.validate_python([change]), seed=3) == []
