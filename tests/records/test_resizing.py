import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trackbed.records import resizing

RANDOM = np.random.default_rng(0)
# Smooth and rough parts, and edges.
SCENE = np.clip(
    np.add.outer(np.linspace(0, 200, 90), 50 * np.sin(np.arange(120) / 5))[..., None]
    + RANDOM.normal(0, 15, (90, 120, 3)),
    0,
    255,
).astype(np.uint8)


def saved(array, encoding, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, encoding, **options)
    return buffer.getvalue()


def resized(image, height, width):
    target = np.empty((height, width, 3), np.uint8)
    resizing.resize(image, target)
    return target


def by_tensorflow(image, height, width):
    scaled = tf.image.resize(image, (height, width), antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(scaled), 0, 255), tf.uint8).numpy()


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 95, "subsampling": 0},
        {"quality": 80},
        {"quality": 30, "progressive": True},
    ],
)
def test_a_jpeg_is_decoded_as_tensorflow_and_pillow_do(options):
    data = saved(SCENE, "jpeg", **options)
    found = resizing.decoded(data, "jpeg", 90, 120)
    accurate = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
    np.testing.assert_array_equal(found, accurate)
    np.testing.assert_array_equal(found, Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("encoding", ["jpeg", "png"])
def test_grey_is_repeated(encoding):
    data = saved(SCENE[..., 0], encoding)
    grey = np.asarray(Image.open(io.BytesIO(data)))
    found = resizing.decoded(data, encoding, 90, 120)
    np.testing.assert_array_equal(found, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_reduced_jpeg_is_decoded_as_pillow_drafts_it(scale):
    data = saved(SCENE[:87, :109], "jpeg")
    drafted = Image.open(io.BytesIO(data))
    drafted.draft("RGB", (109 // scale, 87 // scale))
    found = resizing.decoded(data, "jpeg", 87, 109, scale)
    np.testing.assert_array_equal(found, drafted)


@pytest.mark.parametrize("stored", [(90, 120), (64, 64), (31, 500), (32, 32), (300, 260)])
def test_the_scale_is_the_one_that_pillow_drafts_at(stored):
    height, width = stored
    drafted = Image.open(io.BytesIO(saved(np.zeros((height, width, 3), np.uint8), "jpeg")))
    drafted.draft("RGB", (30, 32))
    scale = resizing.jpeg_reduction(stored, (32, 30))
    assert drafted.size == (-(-width // scale), -(-height // scale))


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_pixels_stay_as_they_lie_in_the_file(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(SCENE, "jpeg", exif=exif)
    np.testing.assert_array_equal(
        resizing.decoded(data, "jpeg", 90, 120), Image.open(io.BytesIO(data))
    )


@pytest.mark.parametrize("shape", [(90, 120), (91, 120), (150, 333), (1024, 1024)])
def test_enlarging_agrees_with_tensorflow_within_a_grey_level(shape):
    found = resized(SCENE, *shape)
    assert np.abs(found.astype(int) - by_tensorflow(SCENE, *shape)).max() <= 1


@pytest.mark.parametrize("shape", [(45, 60), (89, 119), (7, 5), (30, 200), (200, 30)])
def test_shrinking_agrees_with_tensorflow_within_a_grey_level(shape):
    found = resized(SCENE, *shape)
    assert np.abs(found.astype(int) - by_tensorflow(SCENE, *shape)).max() <= 1


def test_the_same_size_changes_nothing():
    np.testing.assert_array_equal(resized(SCENE, 90, 120), SCENE)


@pytest.mark.parametrize("encoding", ["raw", "jpeg", "png"])
def test_data_of_another_size_are_refused(encoding):
    data = SCENE.tobytes() if encoding == "raw" else saved(SCENE, encoding)
    with pytest.raises(ValueError):
        resizing.decoded(data, encoding, 90, 119)
    with pytest.raises(ValueError):
        resizing.decoded(data[:100], encoding, 90, 120)
