"""Augmented views of images for a frozen backbone: drawn once, embedded, used in every run."""

from collections.abc import Sequence

import keras
import numpy as np

from trackbed.learning import augment
from trackbed.learning.embeddings import Forward
from trackbed.problems import Problem


def drawn(
    forward: Forward, changes: Sequence[augment.Change], seed: int, count: int
) -> list[Forward]:
    """`count` functions from images to embeddings of random changes, each with its own draws.

    A function draws anew for every batch, in the order of its calls.
    Raises Problem for changes that mix labels: a view keeps the label of its image.
    """
    mixing = [change.name for change in changes if change.mixes]
    if mixing:
        raise Problem(
            f"params.yaml, embed.views: {', '.join(mixing)} in train.augment mixes labels, which "
            "a view of one image cannot; leave it out or set embed.views: 0."
        )
    return [
        _changed(forward, augment.layers(changes, seed + number * max(1, len(changes))))
        for number in range(count)
    ]


def _changed(forward: Forward, layers: Sequence[keras.layers.Layer]) -> Forward:
    def embedded(images: np.ndarray) -> np.ndarray:
        changed = images.astype(np.float32)
        for layer in layers:
            changed = layer(changed, training=True)
        return forward(np.asarray(changed))

    return embedded
