"""Random changes of position: flip, rotation, zoom, translation and perspective.

All changes of an image together are one homography (a matrix that maps places of the result to
places of the image), so that its pixels are interpolated once. OpenCV applies it on the CPU.
Beyond the edge the image is mirrored. The functions are named as the changes of augmentation; each
gives a random homography for each of `count` images: float64, shape (count, 3, 3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

Sides = tuple[int, int]  # height and width, in pixels
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)  # of the unit square, x before y


class Change(Protocol):
    """A change of position of trackbed.networks.augmentation."""

    def homographies(self, random: np.random.Generator, count: int, sides: Sides) -> np.ndarray:
        """A random homography for each of `count` images: float64, shape (count, 3, 3)."""


@dataclass(frozen=True)
class Geometry:
    """Changes of position, in their order, and the seed of their random values."""

    changes: Sequence[Change] = ()
    seed: int = 0

    def homographies(self, count: int, sides: Sides, *place: int) -> np.ndarray:
        """Homographies of `count` images: float64, shape (count, 3, 3).

        place: numbers, such as that of an epoch, that decide the random values with the seed.
        """
        total = np.broadcast_to(np.eye(3), (count, 3, 3))
        for number, change in enumerate(self.changes):
            random = np.random.default_rng([self.seed + number, *place])
            total = total @ change.homographies(random, count, sides)
        return total

    def changed(self, images: np.ndarray, *place: int) -> np.ndarray:
        """The images, changed; see `homographies` and `warped`."""
        if not self.changes:
            return images
        return warped(images, self.homographies(len(images), images.shape[1:3], *place))


def warped(images: np.ndarray, homographies: np.ndarray) -> np.ndarray:
    """Images whose pixel at a place p is that of the given image at the homography times p.

    images: uint8 or float32, shape (images, height, width, 3); the result has the same shape and
    dtype. Homographies of whole pixels (flips, translations) copy pixels; others interpolate.
    """
    result = np.empty(images.shape, images.dtype)
    height, width = images.shape[1:3]
    affine = (homographies[:, 2] == (0, 0, 1)).all(axis=1)
    whole = affine & (homographies == np.rint(homographies)).all(axis=(1, 2))
    for image, matrix, target, is_affine, is_whole in zip(
        images, homographies, result, affine, whole, strict=True
    ):
        flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if is_whole else cv2.INTER_LINEAR)
        warp, used = (cv2.warpAffine, matrix[:2]) if is_affine else (cv2.warpPerspective, matrix)
        warp(image, used, (width, height), target, flags, cv2.BORDER_REFLECT)
    return result


def flip(random: np.random.Generator, count: int, sides: Sides, mode: str) -> np.ndarray:
    """Each direction of `mode` for half of the images, independently of the other."""
    found = _identities(count)
    directions = zip(reversed(sides), ("horizontal", "vertical"), strict=True)
    for axis, (side, direction) in enumerate(directions):
        if direction in mode:
            chosen = random.random(count) < 0.5
            found[chosen, axis, axis], found[chosen, axis, 2] = -1, side - 1
    return found


def rotation(random: np.random.Generator, count: int, sides: Sides, degrees: float) -> np.ndarray:
    """Rotate about the centre by an angle of -degrees to degrees."""
    angles = np.radians(random.uniform(-degrees, degrees, count))
    found = _identities(count)
    found[:, 0, 0] = found[:, 1, 1] = np.cos(angles)
    found[:, 1, 0] = np.sin(angles)
    found[:, 0, 1] = -found[:, 1, 0]
    return _about_centre(found, sides)


def zoom(
    random: np.random.Generator, count: int, sides: Sides, factor: float, *, inward: bool
) -> np.ndarray:
    """Show a window about the centre, smaller or, unless `inward`, larger by up to `factor`."""
    found = _identities(count)
    largest = 1 if inward else 1 + factor
    found[:, 0, 0] = found[:, 1, 1] = random.uniform(1 - factor, largest, count)
    return _about_centre(found, sides)


def translation(random: np.random.Generator, count: int, sides: Sides, factor: float) -> np.ndarray:
    """Shift by whole pixels, up to `factor` of the side and at least up to one.

    Interpolation would blur, and blur marks unusable frames.
    """
    found = _identities(count)
    for axis, side in enumerate(reversed(sides)):
        most = max(1, int(factor * side + 1e-6))
        found[:, axis, 2] = random.integers(-most, most, count, endpoint=True)
    return found


def perspective(
    random: np.random.Generator, count: int, sides: Sides, factor: float, scale: float
) -> np.ndarray:
    """Move the corners of a share `factor` of the images, by up to half of `scale` of the side.

    Where the four corners would not be convex, each moves by half of it.
    """
    moves = random.uniform(-scale / 2, scale / 2, (count, 4, 2))
    chosen = random.random(count) < factor
    projected, half = _from_unit_square(CORNERS + moves), _from_unit_square(CORNERS + moves / 2)
    g, h = projected[:, 2, 0], projected[:, 2, 1]
    folded = np.minimum(np.minimum(1 + g, 1 + h), 1 + g + h) <= 0
    projected = np.where(folded[:, None, None], half, projected)
    unit = np.diag([1 / max(sides[1] - 1, 1), 1 / max(sides[0] - 1, 1), 1])
    pixels = np.diag([sides[1] - 1, sides[0] - 1, 1])
    return np.where(chosen[:, None, None], pixels @ projected @ unit, np.eye(3))


def _identities(count: int) -> np.ndarray:
    return np.tile(np.eye(3), (count, 1, 1))


def _about_centre(matrices: np.ndarray, sides: Sides) -> np.ndarray:
    centre = np.array([(sides[1] - 1) / 2, (sides[0] - 1) / 2])
    matrices[:, :2, 2] = centre - matrices[:, :2, :2] @ centre
    return matrices


def _from_unit_square(corners: np.ndarray) -> np.ndarray:
    """The homographies from the unit square to quadrilaterals (Heckbert 1989, section 2.2.3).

    corners: shape (count, 4, 2), of (0, 0), (1, 0), (1, 1), (0, 1). Returns (count, 3, 3).
    """
    x, y = corners[..., 0].T, corners[..., 1].T
    dx1, dx2, dx = x[1] - x[2], x[3] - x[2], x[0] - x[1] + x[2] - x[3]
    dy1, dy2, dy = y[1] - y[2], y[3] - y[2], y[0] - y[1] + y[2] - y[3]
    area = dx1 * dy2 - dx2 * dy1
    g, h = (dx * dy2 - dx2 * dy) / area, (dx1 * dy - dx * dy1) / area
    first = [x[1] - x[0] + g * x[1], x[3] - x[0] + h * x[3], x[0]]
    second = [y[1] - y[0] + g * y[1], y[3] - y[0] + h * y[3], y[0]]
    return np.stack([*first, *second, g, h, np.ones_like(g)], axis=1).reshape(-1, 3, 3)
