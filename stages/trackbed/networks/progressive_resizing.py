"""Progressive resizing: smaller images in the first epochs, which take less time.

The recipe is that of Composer (MosaicML 2022, docs.mosaicml.com, Progressive Image Resizing) and
fast.ai's entry to DAWNBench (Howard 2018): a constant side at first, then one that grows linearly,
and the full side at the end, where the network learns the details and its statistics.
"""

from collections.abc import Callable

import cv2
import keras
import numpy as np

DELAY = 0.3  # share of the epochs with the smallest side
FULL = 0.4  # share of the epochs with the full side, at the end
MULTIPLE = 4  # sides between are multiples of it, in pixels
SMALLEST = 16  # pixels, unless the full side is smaller


def sides(side: int, initial_scale: float, epochs: int) -> Callable[[int], int]:
    """The side of the training images in pixels, as a function of the epoch, from 0.

    initial_scale: smallest side as a share of `side`, above 0, to 1.
    """

    def of(epoch: int) -> int:
        if epoch >= first_full_epoch(initial_scale, epochs):
            return side
        grown = max(0.0, (epoch / epochs - DELAY) / (1 - DELAY - FULL))
        scale = initial_scale + (1 - initial_scale) * grown
        return min(side, max(SMALLEST, round(scale * side / MULTIPLE) * MULTIPLE))

    return of


def first_full_epoch(initial_scale: float, epochs: int) -> int:
    """The epoch, counted from 0, from which on images have the full side."""
    return 0 if initial_scale == 1 else min(epochs - 1, round((1 - FULL) * epochs))


def resized(images: np.ndarray, side: int) -> np.ndarray:
    """The images shrunk to a square; uint8, shape (images, height, width, 3).

    Every pixel is the mean of those it covers, so that no detail aliases.
    """
    if images.shape[1:3] == (side, side):
        return images
    found = np.empty((len(images), side, side, images.shape[3]), images.dtype)
    for image, target in zip(images, found, strict=True):
        cv2.resize(image, (side, side), target, interpolation=cv2.INTER_AREA)
    return found


def for_any_side(network: keras.Model) -> keras.Model:
    """The network with the same layers and weights, for images of any side.

    It must consist of layers that allow it, such as those of small_cnn.
    """
    return keras.models.clone_model(
        network,
        input_tensors=keras.Input((None, None, network.input_shape[-1])),
        clone_function=lambda layer: layer,
        call_function=lambda layer, *tensors, **options: layer(*tensors, **options),
    )
