"""Random changes of training images, listed in params.yaml.

Changes of position are applied first, by OpenCV in one step; MixUp and CutMix then mix images and
labels of a batch; Keras layers apply all others. None is part of the saved model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from trackbed.pipeline.params import Section

if TYPE_CHECKING:
    import keras
    import numpy as np

    from trackbed.networks.geometry import Geometry

Share = Annotated[float, Field(gt=0, lt=1)]


class Change(Section):
    """One change: its name, which is that of its function in random_layers, and its arguments."""

    mixes: ClassVar[bool] = False  # needs the labels
    moves: ClassVar[bool] = False  # changes the position of pixels

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that applies the change."""
        from trackbed.networks import random_layers

        return getattr(random_layers, self.name)(seed, **self.arguments())

    def arguments(self) -> dict[str, Any]:
        """What stands beside the name in params.yaml."""
        return self.model_dump(exclude={"name"})


class ChangeOfPosition(Change):
    """A change whose function is in geometry."""

    moves = True

    def homographies(
        self, random: "np.random.Generator", count: int, sides: tuple[int, int]
    ) -> "np.ndarray":
        """Random homographies of `count` images, see geometry."""
        from trackbed.networks import geometry

        return getattr(geometry, self.name)(random, count, sides, **self.arguments())


class Flip(ChangeOfPosition):
    """Mirror half of the images: left to right, upside down, or each of the two independently."""

    name: Literal["flip"]
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"]


class Rotation(ChangeOfPosition):
    """Rotate by up to `degrees` either way; the edge is filled by mirroring."""

    name: Literal["rotation"]
    degrees: float = Field(gt=0, le=180)


class Zoom(ChangeOfPosition):
    """Show a window whose side is smaller, or larger unless `inward`, by up to `factor`.

    The edge is filled by mirroring.
    """

    name: Literal["zoom"]
    factor: Share
    inward: bool = False


class Translation(ChangeOfPosition):
    """Shift by up to `factor` of the side, by whole pixels; the edge is filled by mirroring."""

    name: Literal["translation"]
    factor: Share


class Brightness(Change):
    """Add or subtract up to `factor` of the value range, the same for all pixels of an image."""

    name: Literal["brightness"]
    factor: Share


class Contrast(Change):
    """Multiply the distances from the mean of a colour by 1 - `factor` to 1 + `factor`."""

    name: Literal["contrast"]
    factor: Share


class Saturation(Change):
    """Change the saturation (HSV) of colours: 0.5 changes nothing, 0 is grey, 1 is full colour.

    A value f from `low` to `high` multiplies the saturation by f / (1 - f).
    """

    name: Literal["saturation"]
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)


class Hue(Change):
    """Shift the hue by up to `factor` of half the colour circle, either way."""

    name: Literal["hue"]
    factor: Share


class Perspective(ChangeOfPosition):
    """Move every corner, sideways and up or down, by up to half of `scale` of the side.

    The edge is filled by mirroring.
    """

    name: Literal["perspective"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the images
    scale: Annotated[float, Field(gt=0, le=1)]


class Erasing(Change):
    """Fill a random rectangle of up to `area` of the image with noise."""

    name: Literal["erasing"]
    factor: Annotated[float, Field(gt=0, le=1)]  # share of the images
    area: Share


class RandAugment(Change):
    """`count` random operations per image, of strength `factor` (arXiv 1909.13719).

    They include inverted colours and shears: check that the classes stay recognisable.
    """

    name: Literal["rand_augment"]
    count: int = Field(ge=1, le=10)
    factor: Share


class MixUp(Change):
    """Blend pairs of images and their labels; shares from Beta(alpha, alpha) (arXiv 1710.09412)."""

    mixes = True
    name: Literal["mixup"]
    alpha: float = Field(gt=0, le=10)


class CutMix(Change):
    """Paste a rectangle of another image, mixing labels by area (arXiv 1905.04899).

    The area is a share of the image from Beta(factor, factor), rounded to whole pixels.
    """

    mixes = True
    name: Literal["cutmix"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0


Changes = list[
    Annotated[
        Flip
        | Rotation
        | Zoom
        | Translation
        | Brightness
        | Contrast
        | Saturation
        | Hue
        | Perspective
        | Erasing
        | RandAugment
        | MixUp
        | CutMix,
        Field(discriminator="name"),
    ]
]


class Augmentation(NamedTuple):
    """The changes of a list: of position, of images and labels of a batch, and all others."""

    layers: "Sequence[keras.layers.Layer]" = ()
    mixers: "Sequence[keras.layers.Layer]" = ()
    geometry: "Geometry | None" = None


def build(changes: Sequence[Change], seed: int) -> Augmentation:
    """All changes; each has a seed of its own."""
    return Augmentation(layers(changes, seed), mixers(changes, seed), geometry(changes, seed))


def geometry(changes: Sequence[Change], seed: int) -> "Geometry | None":
    """The changes of position in their order, None where there are none."""
    moving = [change for change in changes if change.moves]
    if not moving:
        return None
    from trackbed.networks.geometry import Geometry

    return Geometry(moving, seed)


def layers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes of colour, in their order, each with its own seed.

    They map pixels 0..255 of shape (batch, height, width, 3) to float32 ones, in training only.
    """
    return [
        change.layer(seed + number)
        for number, change in enumerate(changes)
        if not (change.mixes or change.moves)
    ]


def mixers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes that mix images and labels, in their order.

    They map {"images": ..., "labels": ...}, labels of shape (batch, classes), to the same.
    """
    return [change.layer(seed + number) for number, change in enumerate(changes) if change.mixes]
