"""Keras layers of the changes of colour and the mixing ones: a function per change, by its name.

A layer maps pixels 0 to 255 of shape (batch, height, width, 3) to float32 pixels 0 to 255 of the
same shape, in training only. Every image has random values of its own; the seed decides them.
Mixers map {"images": ..., "labels": ...}, labels of shape (batch, classes), to the same.

A layer of Keras is used where it does what docs/augmentation.md says.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops
from keras.random import SeedGenerator

from trackbed.networks import image_operations

WHITE = 255.0
SMALLEST_AREA = 0.02  # of an erased rectangle, or `area` if that is smaller (arXiv 1708.04896)
Tensor = Any


class KerasImages(keras.layers.Layer):
    """A layer of Keras for images, in float32 whatever the precision of the network."""

    def __init__(self, name: str, **arguments: Any) -> None:
        super().__init__(dtype="float32")
        self.changed = getattr(keras.layers, name)(**arguments, dtype="float32")
        self.supports_jit = self.changed.supports_jit

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Build the layer of Keras."""
        self.changed.build(shape)

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """The images, changed in training; interpolation can exceed 255 by its rounding error."""
        images = ops.cast(images, "float32")
        return ops.clip(self.changed(images, training=True), 0, WHITE) if training else images


class RandomImages(keras.layers.Layer):
    """A function of float images and a seed generator, in float32 as above."""

    def __init__(
        self,
        changed: Callable[[Tensor, SeedGenerator], Tensor],
        seed: int,
        *,
        geometric: bool = False,
    ) -> None:
        """geometric: uses ops.image.affine_transform, which XLA cannot compile."""
        super().__init__(dtype="float32")
        self.changed, self.generator = changed, SeedGenerator(seed)
        self.supports_jit = not geometric

    def call(self, images: Tensor, training: bool = False) -> Tensor:
        """The images, changed in training."""
        images = ops.cast(images, "float32")
        if not training:
            return images
        return ops.clip(self.changed(images, self.generator), 0, WHITE)


class Mixer(keras.layers.Layer):
    """Mixes every image of a batch with another one, and their labels by the same share."""

    def __init__(
        self, mixed: Callable[[Tensor, Tensor, SeedGenerator], tuple[Tensor, Tensor]], seed: int
    ) -> None:
        """mixed: gives the mixed images and the share of each image that is its own."""
        super().__init__(dtype="float32")
        self.mixed, self.generator = mixed, SeedGenerator(seed)

    def call(self, both: dict[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """Images and labels, mixed in training."""
        images, labels = (ops.cast(both[name], "float32") for name in ("images", "labels"))
        if training:
            order = keras.random.shuffle(ops.arange(ops.shape(images)[0]), seed=self.generator)
            images, own = self.mixed(images, ops.take(images, order, axis=0), self.generator)
            own = own[:, None]
            labels = own * labels + (1 - own) * ops.take(labels, order, axis=0)
        return {"images": images, "labels": labels}


def brightness(seed: int, factor: float) -> KerasImages:
    """Keras' factor is that of the documentation."""
    return KerasImages("RandomBrightness", factor=factor, seed=seed)


def contrast(seed: int, factor: float) -> KerasImages:
    """Keras takes one number as the way up only, and a pair as the ways down and up."""
    return KerasImages("RandomContrast", factor=(factor, factor), seed=seed)


def saturation(seed: int, low: float, high: float) -> RandomImages:
    """Keras' RandomSaturation limits saturations 0 to 1 by the range of pixels."""
    low, high = sorted((low, high))

    def changed(images: Tensor, generator: SeedGenerator) -> Tensor:
        factor = _uniform(images, low, high, generator)
        hue_, saturation_, value = ops.split(ops.image.rgb_to_hsv(images / WHITE), 3, axis=-1)
        saturation_ = ops.clip(saturation_ * factor / (1 - factor + 1e-7), 0, 1)
        hsv = ops.concatenate([hue_, saturation_, value], axis=-1)
        return ops.image.hsv_to_rgb(hsv) * WHITE

    return RandomImages(changed, seed)


def hue(seed: int, factor: float) -> KerasImages:
    """Keras' factor is a share of half the colour circle, either way."""
    return KerasImages("RandomHue", factor=factor, seed=seed)


def erasing(seed: int, factor: float, area: float) -> RandomImages:
    """Uniform noise in a rectangle (arXiv 1708.04896)."""

    def changed(images: Tensor, generator: SeedGenerator) -> Tensor:
        batch = ops.shape(images)[0]
        areas = keras.random.uniform(
            (batch, 2), min(SMALLEST_AREA, area), area, dtype="float32", seed=generator
        )
        inside = _rectangle(images, ops.sqrt(areas), generator, ops.floor, smallest=1)
        noise = keras.random.uniform(ops.shape(images), 0, WHITE, dtype="float32", seed=generator)
        chosen = _chosen(images, factor, generator)
        return ops.where(ops.logical_and(chosen, inside), noise, images)

    return RandomImages(changed, seed)


def rand_augment(seed: int, count: int, factor: float) -> RandomImages:
    """Keras' RandAugment has one list of operations per batch, and one direction of each."""

    def changed(images: Tensor, generator: SeedGenerator) -> Tensor:
        return image_operations.rand_augment(images, count, factor, generator)

    return RandomImages(changed, seed, geometric=True)


def mixup(seed: int, alpha: float) -> Mixer:
    """Blends whole images."""

    def mixed(images: Tensor, others: Tensor, generator: SeedGenerator) -> tuple[Tensor, Tensor]:
        own = _beta(ops.shape(images)[0], alpha, generator)
        weight = own[:, None, None, None]
        return weight * images + (1 - weight) * others, own

    return Mixer(mixed, seed)


def cutmix(seed: int, factor: float) -> Mixer:
    """Keras' layer mixes the labels by the share that was sampled, not by the pixels pasted."""

    def mixed(images: Tensor, others: Tensor, generator: SeedGenerator) -> tuple[Tensor, Tensor]:
        share = ops.sqrt(_beta(ops.shape(images)[0], factor, generator))
        sides = ops.stack([share, share], axis=1)
        inside = _rectangle(images, sides, generator, ops.round)
        pasted = ops.mean(ops.cast(inside, "float32"), axis=(1, 2, 3))
        return ops.where(inside, others, images), 1 - pasted

    return Mixer(mixed, seed)


def _uniform(images: Tensor, low: float, high: float, generator: SeedGenerator) -> Tensor:
    """A number per image, shape (batch, 1, 1, 1)."""
    shape = (ops.shape(images)[0], 1, 1, 1)
    return keras.random.uniform(shape, low, high, dtype="float32", seed=generator)


def _chosen(images: Tensor, share: float, generator: SeedGenerator) -> Tensor:
    """Whether an image is changed, with probability `share`; bool, shape (batch, 1, 1, 1)."""
    return _uniform(images, 0, 1, generator) < share


def _beta(count: int, alpha: float, generator: SeedGenerator) -> Tensor:
    """Numbers from Beta(alpha, alpha), shape (count,).

    A gamma variable of a small alpha is too small for float32, so its logarithm is computed from
    Gamma(alpha + 1) and a uniform variable (Marsaglia and Tsang 2000).
    """
    logs = [
        ops.log(keras.random.gamma((count,), alpha + 1, dtype="float32", seed=generator))
        + ops.log1p(-keras.random.uniform((count,), dtype="float32", seed=generator)) / alpha
        for _ in range(2)
    ]
    return ops.sigmoid(logs[0] - logs[1])


def _rectangle(
    images: Tensor,
    shares: Tensor,
    generator: SeedGenerator,
    rounded: Callable[[Tensor], Tensor],
    smallest: int = 0,
) -> Tensor:
    """Whether a pixel is in the image's random rectangle; bool, shape (batch, height, width, 1).

    shares: height and width of the rectangle as shares of the image, shape (batch, 2).
    """
    inside = []
    for axis in range(2):
        side = ops.cast(ops.shape(images)[1 + axis], "float32")
        length = ops.maximum(rounded(shares[:, axis] * side), smallest)
        start = ops.floor(_uniform(images, 0, 1, generator)[:, 0, 0, 0] * (side - length + 1))
        places = ops.arange(side, dtype="float32")[None]
        start = start[:, None]
        inside.append(ops.logical_and(places >= start, places < start + length[:, None]))
    return ops.logical_and(inside[0][:, :, None, None], inside[1][:, None, :, None])
