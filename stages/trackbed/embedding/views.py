"""Which networks can be trained on embeddings, and embeddings of augmented images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trackbed.networks import augmentation
from trackbed.networks.embeddings import Forward
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import keras

# Networks of this package on a backbone. Names in keras.applications start with a capital.
ON_BACKBONE = ("rails", "gtsrb")


class BackboneParams(Protocol):
    """The keys of section `train` of params.yaml that decide."""

    network: str
    unfreeze: str
    head_epochs: int
    augment: Sequence[Any]


def reason_not_frozen(p: BackboneParams, views: int) -> str:
    """Why the network cannot be trained on embeddings, as text; '' if it can.

    views: number of augmented embeddings of each training image.
    """
    if not on_backbone(p.network):
        return f"{p.network} has no backbone"
    if p.unfreeze != "none" or p.head_epochs:
        return f"the backbone of {p.network} is trained (train.unfreeze, train.head_epochs)"
    if p.augment and not views:
        return (
            "train.augment changes every image in every epoch; with train.augment: [] or "
            "embed.views above 0 the backbone would run only once"
        )
    return ""


def on_backbone(network: str) -> bool:
    """Whether the network of that name has a backbone of keras.applications."""
    return network in ON_BACKBONE or network[:1].isupper()


def augmented(
    forward: Forward, changes: Sequence[augmentation.Change], seed: int, count: int
) -> list[Forward]:
    """`count` functions from images to embeddings of randomly augmented images.

    Each has seeds of its own, and augments every batch anew, so that its results depend on the
    order of its calls. Raises UserError for changes that mix labels: a view keeps the label of
    its image.
    """
    mixing = [change.name for change in changes if change.mixes]
    if mixing:
        raise UserError(
            f"params.yaml, embed.views: {', '.join(mixing)} in train.augment mixes labels, which "
            "a view of one image cannot; leave it out or set embed.views: 0."
        )
    return [
        _augmenting(forward, augmentation.layers(changes, seed + number * max(1, len(changes))))
        for number in range(count)
    ]


def _augmenting(forward: Forward, layers: Sequence[keras.layers.Layer]) -> Forward:
    def embedded(images: np.ndarray) -> np.ndarray:
        changed = images.astype(np.float32)
        for layer in layers:
            changed = layer(changed, training=True)
        return forward(np.asarray(changed))

    return embedded
