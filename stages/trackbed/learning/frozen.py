"""Whether a backbone gives the same embedding of an image in every epoch and every run."""

from collections.abc import Sequence
from typing import Any, Protocol

# Networks of this package on a backbone; those of keras.applications begin with a capital.
ON_BACKBONE = ("rails", "gtsrb")


class Choices(Protocol):
    """The keys of section `train` in params.yaml that decide."""

    network: str
    unfreeze: str
    head_epochs: int
    augment: Sequence[Any]


def why_not(p: Choices, views: int) -> str:
    """Why embeddings would not stand for the images, in words; '' if they do.

    views: how many augmented embeddings of each training image are wanted.
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
    """Whether the network of that name stands on a backbone of keras.applications."""
    return network in ON_BACKBONE or network[:1].isupper()
