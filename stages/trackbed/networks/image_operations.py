"""Operations on images, those of RandAugment among them (Cubuk et al. 2019, arXiv 1909.13719).

Images are float32, 0 to 255, shape (batch, height, width, 3). Beyond the edge they are mirrored.
An operation of RandAugment takes the images and their strengths, 0 to 1 with a sign where it has a
direction, shape (batch, 1, 1, 1).
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from keras.random import SeedGenerator

Tensor = Any
WHITE = 255.0
# The ranges of AutoAugment (arXiv 1805.09501), which RandAugment took over, at strength 1.
DEGREES, SHEAR, SHIFT, ENHANCEMENT, BITS = 30.0, 0.3, 0.45, 0.9, 4
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601, as in Pillow
SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13  # as in Pillow


def rand_augment(images: Tensor, count: int, strength: float, generator: SeedGenerator) -> Tensor:
    """Every image after `count` operations, each sampled from OPERATIONS for that image alone.

    strength: 0 to 1, of all operations; those with a direction go either way.
    """
    batch = ops.shape(images)[0]
    for _ in range(count):
        number = keras.random.randint((batch, 1, 1, 1), 0, len(OPERATIONS), seed=generator)
        way = keras.random.randint((batch, 1, 1, 1), 0, 2, seed=generator)
        signed = strength * (2 * ops.cast(way, "float32") - 1)
        result = images
        for place, operation in enumerate(OPERATIONS):
            result = ops.where(number == place, operation(images, signed), result)
        images = result
    return images


def identity(images: Tensor, _: Tensor) -> Tensor:
    """The images as they are."""
    return images


def auto_contrast(images: Tensor, _: Tensor) -> Tensor:
    """The darkest value of every colour becomes 0, the brightest 255."""
    low = ops.min(images, axis=(1, 2), keepdims=True)
    high = ops.max(images, axis=(1, 2), keepdims=True)
    spread = ops.where(high > low, high - low, WHITE)
    return ops.where(high > low, (images - low) * (WHITE / spread), images)


def equalize(images: Tensor, _: Tensor) -> Tensor:
    """The values of every colour become equally frequent, as in Pillow."""
    shape = ops.shape(images)
    histograms = shape[0] * 3
    values = ops.reshape(ops.transpose(images, (0, 3, 1, 2)), (histograms, -1))
    levels = ops.cast(ops.round(values), "int32")
    places = levels + 256 * ops.arange(histograms, dtype="int32")[:, None]
    places = ops.reshape(places, (-1,))
    # Unlike a bincount, this sum is deterministic on a GPU.
    counts = ops.segment_sum(ops.ones_like(places, "float32"), places, 256 * histograms)
    counts = ops.reshape(ops.cast(counts, "int32"), (histograms, 256))
    last = ops.max(ops.where(counts > 0, np.arange(256, dtype=np.int32), 0), axis=1)
    pixels = shape[1] * shape[2]
    step = (pixels - ops.take_along_axis(counts, last[:, None], axis=1)) // 255
    table = (step // 2 + ops.cumsum(counts, axis=1) - counts) // ops.maximum(step, 1)
    equal = ops.take_along_axis(ops.clip(table, 0, 255), levels, axis=1)
    result = ops.where(step > 0, ops.cast(equal, "float32"), values)
    return ops.transpose(ops.reshape(result, (shape[0], 3, shape[1], shape[2])), (0, 2, 3, 1))


def rotate(images: Tensor, signed: Tensor) -> Tensor:
    """Turned about the centre."""
    angle = signed[:, 0, 0, 0] * (DEGREES * np.pi / 180)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    return _about_centre(images, cosine, -sine, sine, cosine)


def shear_x(images: Tensor, signed: Tensor) -> Tensor:
    """Rows shifted in proportion to their distance from the middle."""
    share = signed[:, 0, 0, 0] * SHEAR
    one = ops.ones_like(share)
    return _about_centre(images, one, share, 0 * share, one)


def shear_y(images: Tensor, signed: Tensor) -> Tensor:
    """Columns shifted in proportion to their distance from the middle."""
    share = signed[:, 0, 0, 0] * SHEAR
    one = ops.ones_like(share)
    return _about_centre(images, one, 0 * share, share, one)


def translate_x(images: Tensor, signed: Tensor) -> Tensor:
    """Shifted sideways, by whole pixels."""
    pixels = ops.round(signed[:, 0, 0, 0] * (SHIFT * _side(images, 2)))
    return shifted(images, pixels, ops.zeros_like(pixels))


def translate_y(images: Tensor, signed: Tensor) -> Tensor:
    """Shifted up or down, by whole pixels."""
    pixels = ops.round(signed[:, 0, 0, 0] * (SHIFT * _side(images, 1)))
    return shifted(images, ops.zeros_like(pixels), pixels)


def solarize(images: Tensor, signed: Tensor) -> Tensor:
    """Bright values inverted: those from 256 times (1 - strength) on."""
    return ops.where(images >= 256 * (1 - ops.abs(signed)), WHITE - images, images)


def posterize(images: Tensor, signed: Tensor) -> Tensor:
    """Fewer bits per value: 8 less up to BITS."""
    step = 2 ** ops.round(BITS * ops.abs(signed))
    return ops.floor(ops.round(images) / step) * step


def color(images: Tensor, signed: Tensor) -> Tensor:
    """Towards grey, or away from it."""
    return _blended(_grey(images), images, signed)


def contrast(images: Tensor, signed: Tensor) -> Tensor:
    """Towards the mean grey of the image, or away from it."""
    return _blended(ops.mean(_grey(images), axis=(1, 2, 3), keepdims=True), images, signed)


def brightness(images: Tensor, signed: Tensor) -> Tensor:
    """Towards black, or away from it."""
    return _blended(ops.zeros_like(images), images, signed)


def sharpness(images: Tensor, signed: Tensor) -> Tensor:
    """Towards a smooth image, or away from it; the outermost pixels stay, as in Pillow."""
    kernel = np.tile(SMOOTH[:, :, None, None], (1, 1, 3, 1))
    smooth = ops.depthwise_conv(images, kernel, padding="valid")
    smooth = ops.pad(smooth - images[:, 1:-1, 1:-1], [(0, 0), (1, 1), (1, 1), (0, 0)])
    return _blended(images + smooth, images, signed)


OPERATIONS: Sequence[Callable[[Tensor, Tensor], Tensor]] = (
    identity,
    auto_contrast,
    equalize,
    rotate,
    solarize,
    color,
    posterize,
    contrast,
    brightness,
    sharpness,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
)


def shifted(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The images shifted by x to the left and by y upwards; whole pixels, float32, (batch,)."""
    one, zero = ops.ones_like(x), ops.zeros_like(x)
    matrix = ops.stack([one, zero, x, zero, one, y, zero, zero], axis=1)
    return ops.image.affine_transform(images, matrix, interpolation="nearest", fill_mode="reflect")


def _side(images: Tensor, axis: int) -> Tensor:
    return ops.cast(ops.shape(images)[axis], "float32")


def _grey(images: Tensor) -> Tensor:
    return ops.sum(images * LUMINANCE, axis=3, keepdims=True)


def _blended(degenerate: Tensor, images: Tensor, signed: Tensor) -> Tensor:
    """The degenerate image where 1 + ENHANCEMENT * signed is 0, the image itself where it is 1."""
    weight = 1 + ENHANCEMENT * signed
    return ops.clip(degenerate + weight * (images - degenerate), 0, WHITE)


def _about_centre(images: Tensor, a: Tensor, b: Tensor, d: Tensor, e: Tensor) -> Tensor:
    """The place (x, y) of the result has the pixel (a x + b y, d x + e y), from the centre."""
    x, y = (_side(images, 2) - 1) / 2, (_side(images, 1) - 1) / 2
    zero = ops.zeros_like(a)
    columns = [a, b, x - a * x - b * y, d, e, y - d * x - e * y, zero, zero]
    return ops.image.affine_transform(images, ops.stack(columns, axis=1), fill_mode="reflect")
