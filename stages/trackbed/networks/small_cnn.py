"""The default network: compact, for training from scratch on a CPU."""

import keras
from keras import layers

from trackbed.networks.spec import Spec


def small_cnn(spec: Spec) -> keras.Model:
    """A compact residual network with batch normalisation, for training from scratch on a CPU.

    Residual blocks (He et al. 2015, arXiv 1512.03385) of 16, 32, 64 and 128 channels, times the
    width; shortcuts that halve the image average it first (He, T. et al. 2018, arXiv 1812.01187,
    ResNet-D). Images from 64 and from 128 pixels on are halved once more each at the start, so
    that the cost grows slowly with the image side.
    """
    inputs = spec.inputs()
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.ReLU()(_normalised(x, round(16 * spec.width), 3, 2 if spec.side >= 64 else 1))
    for filters, strides in ((16, 2 if spec.side >= 128 else 1), (32, 2), (64, 2), (128, 2)):
        x = _residual(x, round(filters * spec.width), strides)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(spec.dropout)(x)
    return spec.model("small_cnn", inputs, x)


def _residual(x: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    shortcut = x
    x = layers.ReLU()(_normalised(x, filters, 3, strides))
    x = _normalised(x, filters, 3)
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same")(shortcut)
    if shortcut.shape[-1] != filters:
        shortcut = _normalised(shortcut, filters, 1)
    return layers.ReLU()(layers.Add()([x, shortcut]))


def _normalised(
    x: keras.KerasTensor, filters: int, kernel: int, strides: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    return layers.BatchNormalization(momentum=0.9)(x)
