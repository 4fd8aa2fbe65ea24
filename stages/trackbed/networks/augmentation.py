"""Random changes of training images: listed in params.yaml, applied by Keras layers.

Most change the images of a batch; MixUp and CutMix mix images and labels of a batch. None is part
of the saved model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from trackbed.pipeline.params import Section

if TYPE_CHECKING:
    import keras

Share = Annotated[float, Field(gt=0, lt=1)]


class Change(Section):
    """One change: the name of its Keras layer and the arguments of that layer."""

    keras_layer: ClassVar[str]
    mixes: ClassVar[bool] = False  # needs the labels

    def arguments(self) -> dict[str, Any]:
        """The arguments of the Keras layer, without the seed."""
        return self.model_dump(exclude={"name"})

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that applies the change."""
        import keras

        return getattr(keras.layers, self.keras_layer)(**self.arguments(), seed=seed)


class Flip(Change):
    """Mirror half of the images: left to right, upside down, or both."""

    keras_layer = "RandomFlip"
    name: Literal["flip"]
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"]


class Rotation(Change):
    """Rotate by up to `degrees` either way; the edge is filled by mirroring."""

    keras_layer = "RandomRotation"
    name: Literal["rotation"]
    degrees: float = Field(gt=0, le=180)

    def arguments(self) -> dict[str, Any]:
        """Keras takes the angle as a share of a full turn."""
        return {"factor": self.degrees / 360, "fill_mode": "reflect"}


class Zoom(Change):
    """Zoom in, and out unless `inward`, by up to `factor`; the edge is filled by mirroring."""

    keras_layer = "RandomZoom"
    name: Literal["zoom"]
    factor: Share
    inward: bool = False

    def arguments(self) -> dict[str, Any]:
        """Keras takes a negative factor for zooming in."""
        return {
            "height_factor": (-self.factor, 0.0 if self.inward else self.factor),
            "fill_mode": "reflect",
        }


class Translation(Change):
    """Shift by up to `factor` of the side; the edge is filled by mirroring."""

    keras_layer = "RandomTranslation"
    name: Literal["translation"]
    factor: Share

    def arguments(self) -> dict[str, Any]:
        """Nearest pixels: bilinear interpolation would blur, and blur marks unusable frames."""
        factors = {"height_factor": self.factor, "width_factor": self.factor}
        return factors | {"fill_mode": "reflect", "interpolation": "nearest"}


class Brightness(Change):
    """Add or subtract up to `factor` of the value range, the same for all pixels of an image."""

    keras_layer = "RandomBrightness"
    name: Literal["brightness"]
    factor: Share


class Contrast(Change):
    """Increase or reduce the contrast around the mean of an image by up to `factor`."""

    keras_layer = "RandomContrast"
    name: Literal["contrast"]
    factor: Share


class Saturation(Change):
    """Change the saturation of colours: 0.5 changes nothing, 0 is grey, 1 is full colour."""

    keras_layer = "RandomSaturation"
    name: Literal["saturation"]
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)

    def arguments(self) -> dict[str, Any]:
        """Keras takes a range."""
        return {"factor": (self.low, self.high)}


class Hue(Change):
    """Shift the hue by up to `factor` of half the colour circle."""

    keras_layer = "RandomHue"
    name: Literal["hue"]
    factor: Share


class Perspective(Change):
    """Distort the perspective, moving the corners by up to `scale` of the side."""

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
    """`count` random changes per batch, of strength `factor` (arXiv 1909.13719).

    They include inverted colours and shears: check that the classes stay recognisable.
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


class Augmentation(NamedTuple):
    """Keras layers that change images, and Keras layers that mix images and labels of a batch."""

    layers: "Sequence[keras.layers.Layer]" = ()
    mixers: "Sequence[keras.layers.Layer]" = ()


def build(changes: Sequence[Change], seed: int) -> Augmentation:
    """The layers of all changes."""
    return Augmentation(layers(changes, seed), mixers(changes, seed))


def layers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes of images, in their order, each with its own seed.

    They map float pixels 0..255 of shape (batch, height, width, 3) to the same, in training only.
    """
    return [
        change.layer(seed + number) for number, change in enumerate(changes) if not change.mixes
    ]


def mixers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes that mix images and labels, in their order.

    They map {"images": ..., "labels": ...}, labels of shape (batch, classes), to the same.
    """
    return [change.layer(seed + number) for number, change in enumerate(changes) if change.mixes]
