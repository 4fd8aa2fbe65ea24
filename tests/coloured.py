"""Pictures that a network learns in a few steps."""

import numpy as np

from trackbed.training import batches


def coloured_noise(images, seed, side=16):
    """Noise in which class 0 is reddish and class 1 is bluish."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    pixels = random.integers(0, 160, (images, side, side, 3), dtype=np.uint8)
    pixels[labels == 0, ..., 0] += 90
    pixels[labels == 1, ..., 2] += 90
    return batches.Examples(pixels, labels)
