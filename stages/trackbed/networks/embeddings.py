"""A network cut at its frozen backbone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import keras

EMBEDDING = "embedding"  # the name of the layer whose output is the embedding
# Networks of this package on a backbone. Names in keras.applications start with a capital.
ON_BACKBONE = ("rails", "gtsrb")
HIDDEN = {"rails": (64, 32, 16)}  # units of the dense layers between dropout and classes


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


def has_backbone(network: keras.Model) -> bool:
    """Whether `backbone` and `head` can cut the network."""
    return EMBEDDING in [layer.name for layer in network.layers]


def backbone(network: keras.Model) -> keras.Model:
    """Pixels 0..255 of shape (batch, side, side, 3) to embeddings (batch, units)."""
    import keras

    return keras.Model(network.inputs[0], network.get_layer(EMBEDDING).output, name="backbone")


def head(network: keras.Model) -> keras.Model:
    """Embeddings (batch, units) to class probabilities; training it trains the network."""
    import keras

    embedding = network.get_layer(EMBEDDING).output
    return keras.Model(embedding, network.outputs[0], name=network.name)


def weights_digest(backbone: keras.Model) -> str:
    """SHA-256 of the weights of a backbone."""
    found = hashlib.sha256()
    for weight in backbone.get_weights():
        found.update(weight.tobytes())
    return found.hexdigest()
