"""Random changes of training images: described in params.yaml, done by Keras layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trackbed.params import Section

if TYPE_CHECKING:
    import keras

PIXEL_RANGE = (0, 255)


class Flip(Section):
    """Mirror half of the images: left to right, upside down, or both."""

    name: Literal["flip"]
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"]

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return keras.layers.RandomFlip(self.mode, seed=seed)


class Rotation(Section):
    """Turn by up to `degrees` either way; what comes in at the edge is mirrored."""

    name: Literal["rotation"]
    degrees: float = Field(gt=0, le=180)

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return keras.layers.RandomRotation(self.degrees / 360, fill_mode="reflect", seed=seed)


class Zoom(Section):
    """Zoom in or out by up to `factor` of the side; what comes in at the edge is mirrored."""

    name: Literal["zoom"]
    factor: float = Field(gt=0, lt=1)

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return keras.layers.RandomZoom(self.factor, fill_mode="reflect", seed=seed)


class Translation(Section):
    """Shift by up to `factor` of the side; what comes in at the edge is mirrored."""

    name: Literal["translation"]
    factor: float = Field(gt=0, lt=1)

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        # Bilinear interpolation would blur the image, and blur tells unusable frames.
        return keras.layers.RandomTranslation(
            self.factor, self.factor, fill_mode="reflect", interpolation="nearest", seed=seed
        )


class Brightness(Section):
    """Add up to `factor` of the value range to every pixel, or take it away."""

    name: Literal["brightness"]
    factor: float = Field(gt=0, le=1)

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return keras.layers.RandomBrightness(self.factor, PIXEL_RANGE, seed=seed)


class Contrast(Section):
    """Spread the pixels around their mean, or draw them to it, by up to `factor`."""

    name: Literal["contrast"]
    factor: float = Field(gt=0, le=1)

    def layer(self, seed: int) -> "keras.layers.Layer":
        """The Keras layer that does it."""
        import keras

        return keras.layers.RandomContrast(self.factor, PIXEL_RANGE, seed=seed)


Change = Annotated[
    Flip | Rotation | Zoom | Translation | Brightness | Contrast, Field(discriminator="name")
]


def layers(changes: Sequence[Change], seed: int) -> list["keras.layers.Layer"]:
    """The Keras layers of the changes, in their order, each with a seed of its own.

    They take and give float pixels 0..255 of shape (batch, height, width, 3), and act in
    training only.
    """
    return [change.layer(seed + number) for number, change in enumerate(changes)]
