"""The three scene networks of Rüegg and Wissiak (2023), made for 150 x 150 pixels and 5 classes.

They take pixels 0..255 without rescaling, unless `scaling` is 'unit' (0..1). The published losses
of their first epochs, 6.4 and 4.3 where guessing gives 1.6, show that the pixels were not
rescaled; with rescaling the small network does not under-fit.
"""

import keras
from keras import layers

from trackbed.networks.spec import Spec

# The published network drops 0.3 after every pooling and 0.4 after the last.
LAST_DROPOUT = 0.1


def underfit(spec: Spec) -> keras.Model:
    """Two narrow convolutions; 4,823 parameters.

    The published code has a stride of 5, the published table and count one of 3, as here.
    """
    inputs = spec.inputs()
    x = _scaled(inputs, spec)
    for strides in (3, 1):
        x = layers.Conv2D(6, 3, strides=strides, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    return spec.model("scenes_underfit", inputs, layers.Flatten()(x))


def overfit(spec: Spec) -> keras.Model:
    """Five wide convolutions and a dense layer, no regularisation; 3,667,269 parameters."""
    inputs = spec.inputs()
    x = _scaled(inputs, spec)
    for filters in (32, 64, 128, 256, 512):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(spec.units, activation="relu")(layers.Flatten()(x))
    return spec.model("scenes_overfit", inputs, x)


def optimized(spec: Spec) -> keras.Model:
    """Wider convolutions, normalised input, dropout and an L2 penalty; 10,466,449 parameters.

    6 of them are not trainable. `dropout` follows every pooling, and is larger by 0.1 after the
    last one; `l2` applies to all kernels but that of the first convolution.
    """
    inputs = spec.inputs()
    x = layers.BatchNormalization()(_scaled(inputs, spec))
    for number, filters in enumerate((64, 128, 256, 512, 1024)):
        penalty = keras.regularizers.L2(spec.l2) if number and spec.l2 else None
        x = layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_regularizer=penalty
        )(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Dropout(min(spec.dropout + (LAST_DROPOUT if filters == 1024 else 0), 0.9))(x)
    penalty = keras.regularizers.L2(spec.l2) if spec.l2 else None
    x = layers.Flatten()(x)
    x = layers.Dense(spec.units, activation="relu", kernel_regularizer=penalty)(x)
    return spec.model("scenes_optimized", inputs, x)


def _scaled(inputs: keras.KerasTensor, spec: Spec) -> keras.KerasTensor:
    return layers.Rescaling(1 / 255)(inputs) if spec.scaling == "unit" else inputs
