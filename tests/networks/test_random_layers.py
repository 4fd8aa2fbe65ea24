"""What changes of colour do, measured with NumPy, SciPy and colorsys, without Keras."""

import colorsys

import keras
import numpy as np
import pytest
import tensorflow as tf
from distributions import assert_share, assert_uniform
from pydantic import TypeAdapter
from scipy import stats

from trackbed.networks import augmentation

CHANGES = TypeAdapter(augmentation.Changes)
EVERY = [
    {"name": "brightness", "factor": 0.3},
    {"name": "contrast", "factor": 0.5},
    {"name": "saturation", "low": 0.0, "high": 1.0},
    {"name": "hue", "factor": 0.5},
    {"name": "erasing", "factor": 1, "area": 0.3},
    {"name": "rand_augment", "count": 3, "factor": 0.9},
]
MIXING = [{"name": "mixup", "alpha": 0.4}, {"name": "cutmix"}]
every = pytest.mark.parametrize("change", EVERY, ids=lambda change: change["name"])
COUNT = 600
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, (8, 12, 12, 3)).astype(np.float32)


def changed(images, change, seed=0):
    (layer,) = augmentation.layers(CHANGES.validate_python([change]), seed)
    return np.asarray(layer(images, training=True))


def of_one_colour(colour, change, count=COUNT):
    """The colour of every image after the change."""
    images = np.broadcast_to(np.float32(colour), (count, 8, 8, 3))
    result = changed(images, change)
    assert np.ptp(result, axis=(1, 2)).max() < 1e-3
    return result[:, 0, 0]


def test_brightness_adds_a_share_of_the_range():
    colours = of_one_colour((128, 100, 150), {"name": "brightness", "factor": 0.2})
    assert_uniform((colours - (128, 100, 150)).mean(axis=1), -51, 51)
    np.testing.assert_allclose(np.ptp(colours - (128, 100, 150), axis=1), 0, atol=1e-3)


def test_contrast_raises_and_lowers():
    image = np.full((8, 8, 3), 100, np.float32)
    image[::2] = 140
    results = changed(np.broadcast_to(image, (COUNT, 8, 8, 3)), {"name": "contrast", "factor": 0.3})
    np.testing.assert_allclose(results.mean(axis=(1, 2, 3)), 120, atol=1e-3)
    assert_uniform((results[:, 0, 0, 0] - results[:, 1, 0, 0]) / 40, 0.7, 1.3)


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.6), (0.0, 0.5), (0.2, 0.4)])
def test_saturation_is_multiplied_and_hue_stays(low, high):
    colours = of_one_colour((200, 150, 120), {"name": "saturation", "low": low, "high": high})
    hue, saturation, _ = colorsys.rgb_to_hsv(200 / 255, 150 / 255, 120 / 255)
    found = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours / 255])
    ratio = found[:, 1] / saturation
    assert_uniform(ratio / (1 + ratio), low, high)
    np.testing.assert_allclose(found[:, 2], 200 / 255, atol=1e-5)
    coloured = found[:, 1] > 0.02
    np.testing.assert_allclose(found[coloured, 0], hue, atol=1e-3)


def test_full_saturation_ends_at_the_edge_of_the_range():
    full = {"name": "saturation", "low": 1, "high": 1}
    np.testing.assert_allclose(of_one_colour((200, 150, 120), full)[0], (200, 75, 0), atol=1e-2)


def test_hue_moves_around_the_circle_in_both_directions():
    colours = of_one_colour((200, 150, 120), {"name": "hue", "factor": 0.2})
    hue, saturation, value = colorsys.rgb_to_hsv(200 / 255, 150 / 255, 120 / 255)
    found = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours / 255])
    assert_uniform((found[:, 0] - hue + 0.5) % 1 - 0.5, -0.1, 0.1)
    np.testing.assert_allclose(found[:, 1:], np.tile((saturation, value), (COUNT, 1)), atol=1e-4)


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_factor_is_the_share_of_erased_images(share):
    images = np.broadcast_to(NOISE[:1], (COUNT, 12, 12, 3))
    results = changed(images, {"name": "erasing", "area": 0.3, "factor": share})
    assert_share(np.abs(results - images).max(axis=(1, 2, 3)) > 0, share)


@pytest.mark.parametrize(("side", "area"), [(40, 0.3), (40, 0.01), (8, 0.2)])
def test_erasing_fills_one_rectangle_with_noise(side, area):
    images = np.full((COUNT, side, side, 3), -1, np.float32) + 1
    results = changed(images, {"name": "erasing", "factor": 1, "area": area})
    inside = results.max(axis=3) > 0
    for one in inside:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    shares = inside.mean(axis=(1, 2))
    assert 0 < shares.max() <= area
    assert_uniform(results[inside][:20000].ravel(), 0, 255)


def mixed(images, labels, change, seed=3):
    (mixer,) = augmentation.mixers(CHANGES.validate_python([change]), seed)
    both = mixer({"images": images, "labels": labels}, training=True)
    return np.asarray(both["images"]), np.asarray(both["labels"])


@pytest.mark.parametrize("side", [8, 9, 40])
@pytest.mark.parametrize("change", MIXING, ids=lambda change: change["name"])
def test_labels_are_mixed_by_the_pixels_that_were(change, side):
    # The images of a class have its number in every pixel of their own colour.
    labels = np.eye(3, dtype=np.float32)[np.arange(300) % 3]
    images = np.ascontiguousarray(
        np.broadcast_to(labels[:, None, None] * 255, (300, side, side, 3))
    )
    pixels, shares = mixed(images, labels, change)
    np.testing.assert_allclose(pixels.mean(axis=(1, 2), dtype=float) / 255, shares, atol=1e-5)
    assert (shares.max(axis=1) < 0.99).mean() > 0.3


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 5.0])
def test_the_shares_of_mixup_are_those_of_a_beta_distribution(alpha):
    # Among as many classes as images, an image has its own share unless it met itself.
    labels = np.eye(COUNT, dtype=np.float32)
    _, shares = mixed(
        np.zeros((COUNT, 1, 1, 3), np.float32), labels, {"name": "mixup", "alpha": alpha}
    )
    own = np.diag(shares)
    met = (shares > 0).sum(axis=1) == 2
    if alpha < 0.1:  # float32 rounds most shares to 0 or 1
        assert (np.minimum(own, 1 - own) < 1e-3).mean() > 0.9
        assert abs(own.mean() - 0.5) < 0.07
    else:
        assert stats.kstest(own[met], stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_cutmix_pastes_uniform_areas_anywhere():
    labels = np.eye(COUNT, dtype=np.float32)
    images = np.ascontiguousarray(
        np.broadcast_to(np.arange(COUNT, dtype=np.float32)[:, None, None, None], (COUNT, 40, 40, 3))
    )
    pixels, shares = mixed(images, labels, {"name": "cutmix"})
    pasted = pixels[..., 0] != images[..., 0]
    np.testing.assert_allclose(1 - pasted.mean(axis=(1, 2)), np.diag(shares), atol=1e-5)
    assert stats.kstest(1 - np.diag(shares), stats.uniform.cdf).statistic < 0.07
    # Every quarter of the image is as likely as the others.
    quarters = [pasted[:, y : y + 20, x : x + 20].mean() for y in (0, 20) for x in (0, 20)]
    assert np.ptp(quarters) < 0.06


@pytest.mark.parametrize("change", MIXING, ids=lambda change: change["name"])
def test_one_image_alone_stays_as_it_is(change):
    pixels, shares = mixed(NOISE[:1], np.eye(3, dtype=np.float32)[:1], change)
    np.testing.assert_allclose(pixels, NOISE[:1], rtol=1e-6)
    np.testing.assert_allclose(shares, [[1, 0, 0]], atol=1e-6)


@every
@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 9, 31), (3, 31, 9), (1, 512, 512)])
def test_any_size_stays_in_the_range(change, shape):
    kinds = (0, 255, RANDOM.integers(0, 256, (*shape, 3)))
    for values in kinds if max(shape) < 512 else kinds[2:]:
        images = np.broadcast_to(np.float32(values), (*shape, 3))
        results = changed(images, change)
        assert results.shape == images.shape
        assert np.isfinite(results).all()
        assert results.min() >= 0
        assert results.max() <= 255


@every
def test_bytes_become_the_same_floats(change):
    np.testing.assert_array_equal(changed(NOISE.astype(np.uint8), change), changed(NOISE, change))


@every
def test_images_of_a_batch_change_independently(change):
    results = changed(np.broadcast_to(NOISE[:1], NOISE.shape), change)
    assert len({one.tobytes() for one in results}) > 2


@every
def test_grey_images_stay_grey(change):
    grey = np.repeat(NOISE[..., :1], 3, axis=3)
    results = changed(grey, change)
    if change["name"] != "erasing":  # its noise is coloured
        np.testing.assert_allclose(np.ptp(results, axis=3), 0, atol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("change", [*EVERY, *MIXING], ids=lambda change: change["name"])
def test_the_precision_of_the_network_does_not_matter(change, policy):
    def result():
        if "mix" in change["name"]:
            return mixed(NOISE, np.eye(8, dtype=np.float32), change)[0]
        return changed(NOISE, change)

    usual = result()
    try:
        keras.config.set_dtype_policy(policy)
        other = result()
    finally:
        keras.config.set_dtype_policy("float32")
    assert other.dtype == np.float32
    np.testing.assert_array_equal(other, usual)


def test_a_graph_takes_batches_of_any_size():
    model = keras.Sequential(
        [keras.Input((12, 12, 3)), *augmentation.layers(CHANGES.validate_python(EVERY), 5)]
    )
    graph = tf.function(
        lambda images: model(images, training=True),
        input_signature=[tf.TensorSpec((None, 12, 12, 3), tf.float32)],
    )
    for count in (8, 3, 1):
        assert graph(NOISE[:count]).shape == (count, 12, 12, 3)


@every
def test_xla_compiles_what_says_so(change):
    (layer,) = augmentation.layers(CHANGES.validate_python([change]), 0)
    assert layer.supports_jit == (change["name"] != "rand_augment")
    if layer.supports_jit:
        compiled = tf.function(lambda images: layer(images, training=True), jit_compile=True)
        assert compiled(NOISE).shape == NOISE.shape


def test_a_model_holds_the_random_state_of_every_change():
    # What it holds is written by train.resume and read again.
    layers = augmentation.layers(CHANGES.validate_python(EVERY), 5)
    model = keras.Sequential([keras.Input((12, 12, 3)), *layers])
    before = [variable.numpy() for variable in model.variables]
    first = np.asarray(model(NOISE, training=True))
    second = np.asarray(model(NOISE, training=True))
    assert not np.array_equal(first, second)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(model(NOISE, training=True), first)
    assert len(model.variables) == len(EVERY)
