"""Random changes of training images: described in params.yaml, done by Keras layers.

Most act on the images of a batch, in front of the network; MixUp and CutMix mix images and
labels of a batch, before it reaches the network. None is part of the saved model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from trackbed.pipeline.params import Section

if TYPE_CHECKING:
    import keras

Share = Annotated[float, Field(gt=0, lt=1)]


class Change(Section):
    """A change by the name of its Keras layer and that layer's arguments."""

    keras_layer: ClassVar[str]
    mixes: ClassVar[bool] = False  # needs the labels

    def arguments(self) -> dict[str, Any]:
        """The arguments of the Keras layer, but for the seed."""
        return self.model_dump(exclude={"name"})

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return getattr(keras.layers, self.keras_layer)(**self.arguments(), seed=seed)


class Flip(Change):
    """Mirror half of the images: left to right, upside down, or both."""

    keras_layer = "RandomFlip"
    name: Literal["flip"]
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"]


class Rotation(Change):
    """Turn by up to `degrees` either way; what comes in at the edge is mirrored."""

    keras_layer = "RandomRotation"
    name: Literal["rotation"]
    degrees: float = Field(gt=0, le=180)

    def arguments(self) -> dict[str, Any]:
        """Keras counts in turns."""
        return {"factor": self.degrees / 360, "fill_mode": "reflect"}


class Zoom(Change):
    """Zoom in, and out unless `inward`, by up to `factor`; the edge is mirrored."""

    keras_layer = "RandomZoom"
    name: Literal["zoom"]
    factor: Share
    inward: bool = False

    def arguments(self) -> dict[str, Any]:
        """Keras takes a negative share for zooming in."""
        return {
            "height_factor": (-self.factor, 0.0 if self.inward else self.factor),
            "fill_mode": "reflect",
        }


class Translation(Change):
    """Shift by up to `factor` of the side; what comes in at the edge is mirrored."""

    keras_layer = "RandomTranslation"
    name: Literal["translation"]
    factor: Share

    def arguments(self) -> dict[str, Any]:
        """Bilinear interpolation would blur the image, and blur tells unusable frames."""
        factors = {"height_factor": self.factor, "width_factor": self.factor}
        return factors | {"fill_mode": "reflect", "interpolation": "nearest"}


class Brightness(Change):
    """Add up to `factor` of the value range to all pixels of an image, or take it away."""

    keras_layer = "RandomBrightness"
    name: Literal["brightness"]
    factor: Share


class Contrast(Change):
    """Spread the pixels of an image around their mean, or draw them to it, by up to `factor`."""

    keras_layer = "RandomContrast"
    name: Literal["contrast"]
    factor: Share


class Saturation(Change):
    """Make colours stronger or paler: 0.5 changes nothing, 0 is grey, 1 is full colour."""

    keras_layer = "RandomSaturation"
    name: Literal["saturation"]
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)

    def arguments(self) -> dict[str, Any]:
        """Keras draws from a range."""
        return {"factor": (self.low, self.high)}


class Hue(Change):
    """Turn the colours by up to `factor` of half the colour circle."""

    keras_layer = "RandomHue"
    name: Literal["hue"]
    factor: Share


class Perspective(Change):
    """Look at the image from the side, moving its corners by up to `scale` of the side."""

    keras_layer = "RandomPerspective"
    name: Literal["perspective"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the images
    scale: Annotated[float, Field(gt=0, le=1)]


class Erasing(Change):
    """Fill a random rectangle of up to `area` of the image with noise."""

    keras_layer = "RandomErasing"
    name: Literal["erasing"]
    factor: Annotated[float, Field(gt=0, le=1)]  # share of the images
    area: Share

    def arguments(self) -> dict[str, Any]:
        """Keras takes the smallest and the largest area."""
        return {"factor": self.factor, "scale": (0.02, max(0.02, self.area))}


class RandAugment(Change):
    """`count` changes, drawn for every batch, of strength `factor` (arXiv 1909.13719).

    Among them are colour inversions and shears: look at what it makes of your classes.
    """

    keras_layer = "RandAugment"
    name: Literal["rand_augment"]
    count: int = Field(ge=1, le=10)
    factor: Share

    def arguments(self) -> dict[str, Any]:
        """Keras calls them operations."""
        return {"num_ops": self.count, "factor": self.factor}


class MixUp(Change):
    """Blend pairs of images and their labels; shares from Beta(alpha, alpha) (arXiv 1710.09412)."""

    keras_layer = "MixUp"
    mixes = True
    name: Literal["mixup"]
    alpha: float = Field(gt=0, le=10)


class CutMix(Change):
    """Paste a rectangle of another image, mixing labels by area (arXiv 1905.04899)."""

    keras_layer = "CutMix"
    mixes = True
    name: Literal["cutmix"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0  # parameter of the Beta distribution


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


def layers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes of images, in their order, each with a seed of its own.

    They take and give float pixels 0..255 of shape (batch, height, width, 3), and act in
    training only.
    """
    return [
        change.layer(seed + number) for number, change in enumerate(changes) if not change.mixes
    ]


def mixers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes that mix images and labels, as in `layers`.

    They take and give {"images": ..., "labels": ...} with labels of shape (batch, classes).
    """
    return [change.layer(seed + number) for number, change in enumerate(changes) if change.mixes]
