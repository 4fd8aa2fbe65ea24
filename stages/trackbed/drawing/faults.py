"""What makes a frame of the sample unusable: light, lens, motion or transmission.

A fault is drawn once per drive and then befalls each of its frames, a little differently. Frames
are float32 of shape (height, width, 3), grey levels 0 to 255.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from trackbed.drawing import texture
from trackbed.drawing.texture import Random

Fault = Callable[[Random, np.ndarray], np.ndarray]


def drawn(random: Random) -> Fault:
    """One of the seven faults, with its strength."""
    kinds = (_dark, _glaring, _blurred, _smeared, _noisy, _torn, _covered)
    return kinds[random.integers(len(kinds))](random)


def _dark(random: Random) -> Fault:
    light, noise = random.uniform(0, 0.16), random.uniform(1, 6)
    return lambda random, view: (
        view * light * random.uniform(0.8, 1.2)
        + noise * random.standard_normal(view.shape, np.float32)
    )


def _glaring(random: Random) -> Fault:
    light, veil = random.uniform(1.8, 4), random.uniform(60, 150)
    return lambda random, view: view * light * random.uniform(0.9, 1.1) + veil


def _blurred(random: Random) -> Fault:
    radius = random.uniform(3, 7)
    return lambda random, view: _filtered(
        view, ImageFilter.GaussianBlur(radius * random.uniform(0.9, 1.1))
    )


def _smeared(random: Random) -> Fault:
    """Motion along the track, now and then across it."""
    length, axis = random.integers(20, 45), int(random.random() < 0.25)

    def smear(random: Random, view: np.ndarray) -> np.ndarray:
        way = length + random.integers(-2, 3)
        ends = [(way // 2, way - way // 2) if number == axis else (0, 0) for number in range(3)]
        sums = np.cumsum(np.pad(view, ends, mode="reflect"), axis=axis)
        last = np.arange(way, sums.shape[axis])
        return (sums.take(last, axis) - sums.take(last - way, axis)) / np.float32(way)

    return smear


def _noisy(random: Random) -> Fault:
    """Grains of one pixel up to a few, in colour or grey."""
    strength, cell, colours = random.uniform(70, 130), random.uniform(1, 2.5), random.choice([1, 3])

    def spoil(random: Random, view: np.ndarray) -> np.ndarray:
        layers = [texture.noise(random, view.shape[:2], cell) for _ in range(colours)]
        return view * 0.7 + 38 + strength * np.stack(layers, axis=-1)

    return spoil


def _torn(random: Random) -> Fault:
    """Lines of the picture in the wrong place or colour, as a broken transfer leaves them."""
    pieces = random.integers(3, 8)
    hue = random.uniform(0.1, 1.6, (pieces, 3)).astype(np.float32)

    def tear(random: Random, view: np.ndarray) -> np.ndarray:
        torn = view.copy()
        borders = np.sort(random.integers(8, len(view) - 8, pieces))
        for start, stop, tint in zip(borders, [*borders[1:], len(view)], hue, strict=True):
            shift = random.integers(15, view.shape[1] - 15)
            torn[start:stop] = np.roll(view[start:stop], shift, axis=1) * tint
        return torn

    return tear


def _covered(random: Random) -> Fault:
    """Mud, a leaf or drops on the lens: out of focus, over most of the view."""
    colour = np.float32([70, 58, 45]) * random.uniform(0.3, 2)
    share, seed = random.uniform(0.7, 0.95), random.integers(2**32)

    def cover(random: Random, view: np.ndarray) -> np.ndarray:
        same = np.random.default_rng(seed)
        mask = texture.patches(same, view.shape[:2], 90, share, softness=1.2)
        clouds = 1 + 0.25 * texture.fractal(same, view.shape[:2], 60, 3)
        mud = texture.shaded(clouds, colour)
        return texture.mix(_filtered(view, ImageFilter.GaussianBlur(2)), mud, mask)

    return cover


def _filtered(view: np.ndarray, blur: ImageFilter.Filter) -> np.ndarray:
    levels = np.clip(view, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(levels).filter(blur), np.float32)
