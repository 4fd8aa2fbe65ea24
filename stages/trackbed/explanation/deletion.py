"""Whether a map points at what the answer rests on: the deletion test.

The places of a map are deleted, and the probability of the explained class is measured anew. A
deleted pixel is replaced by the picture blurred until no texture is left, which keeps the light
and adds no edges, or by the mean colour of the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from trackbed.inference import class_activation

SHARE = 0.25  # of the pixels, that are deleted
BLUR = 1 / 8  # standard deviation, as a share of the image side
DRAWS = 5  # of random places
Predict = Callable[[np.ndarray], np.ndarray]
"""Pixels uint8 (images, side, side, 3) to probabilities (images, classes)."""


@dataclass(frozen=True)
class Deletion:
    """By how much the probability of the explained class falls, mean over images, -1 to 1."""

    top: float  # the highest quarter of the map is deleted
    random: float  # a random quarter, in patches as large as those of a map
    bottom: float  # the lowest quarter


def measured(
    predict: Predict,
    images: np.ndarray,
    labels: np.ndarray,
    maps: np.ndarray,
    *,
    fill: Callable[[np.ndarray], np.ndarray],
    seed: int = 0,
) -> Deletion:
    """The deletion test for the maps of images.

    images: uint8, (images, side, side, 3); labels: the explained classes, int, (images,); maps:
    float32, (images, height, width); fill: blurred or mean_colour. Random places are the highest
    ones of maps of noise, of the same height and width and enlarged in the same way, so that
    their shapes are alike; mean of DRAWS.
    """
    filled, own = fill(images), (np.arange(len(images)), labels)
    before = predict(images)[own]

    def fall(values: np.ndarray) -> float:
        return float((before - predict(deleted(images, filled, values))[own]).mean())

    draw = np.random.default_rng(seed)
    noise = [draw.normal(size=maps.shape).astype(np.float32) for _ in range(DRAWS)]
    return Deletion(fall(maps), float(np.mean([fall(values) for values in noise])), fall(-maps))


def deleted(images: np.ndarray, filled: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The images with the SHARE of their pixels replaced that is highest in their maps: uint8."""
    _, height, width, _ = images.shape
    count = round(SHARE * height * width)
    changed = images.copy()
    for image, other, values in zip(changed, filled, maps, strict=True):
        large = class_activation.enlarged(values, height, width).ravel()
        chosen = np.argsort(-large, kind="stable")[:count]
        image.reshape(-1, 3)[chosen] = other.reshape(-1, 3)[chosen]
    return changed


def blurred(images: np.ndarray) -> np.ndarray:
    """The images without their details: uint8, Gaussian of BLUR times their side."""
    deviation = BLUR * images.shape[1]
    return np.stack([cv2.GaussianBlur(image, (0, 0), deviation) for image in images])


def mean_colour(images: np.ndarray) -> np.ndarray:
    """Images of one colour each, the mean of the image: uint8."""
    means = images.mean(axis=(1, 2), keepdims=True)
    return np.broadcast_to(np.rint(means).astype(np.uint8), images.shape)
