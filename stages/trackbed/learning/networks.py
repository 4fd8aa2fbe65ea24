"""Networks by name: pixels 0..255 in, class probabilities out, rescaling inside."""

import warnings
from pathlib import Path

import keras
from keras import layers

from trackbed.problems import Problem

NO_WEIGHTS = "none"


def build(
    name: str, *, side: int, classes: int, dropout: float, weights: str = NO_WEIGHTS
) -> keras.Model:
    """An untrained network for images of shape (side, side, 3) and values 0..255.

    The output is a float32 softmax over `classes`. `weights` are for networks with a
    pretrained backbone: 'imagenet', 'none' (random) or the path of a Keras weights file.
    Raises Problem for an unknown name and for weights that cannot be loaded.
    """
    if name not in BUILDERS:
        raise Problem(
            f"params.yaml, train.network: must be one of {', '.join(BUILDERS)}, got {name}."
        )
    return BUILDERS[name](side, classes, dropout, weights)


def small_cnn(side: int, classes: int, dropout: float, weights: str) -> keras.Model:
    """A compact residual network with batch normalisation, made to learn from scratch on a CPU.

    Residual blocks (He et al. 2015, arXiv 1512.03385) of 16, 32, 64 and 128 channels; shortcuts
    that shrink are averaged first (He, T. et al. 2018, arXiv 1812.01187, ResNet-D). Larger
    images are halved once or twice more on the way in, so that the cost grows slowly with them.
    """
    if weights != NO_WEIGHTS:
        raise Problem(
            f"params.yaml, train.weights: small_cnn is trained from scratch; use "
            f"'{NO_WEIGHTS}', got {weights}."
        )
    inputs = keras.Input((side, side, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.ReLU()(_normalised(x, 16, 3, strides=2 if side >= 64 else 1))
    for filters, strides in ((16, 2 if side >= 128 else 1), (32, 2), (64, 2), (128, 2)):
        x = _residual(x, filters, strides)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="small_cnn")


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


def rails(side: int, classes: int, dropout: float, weights: str) -> keras.Model:
    """The RAILS classifier: a frozen ResNet50V2 and a head of 64, 32 and 16 units.

    23,564,800 parameters in the backbone, 133,829 in the head at 5 classes.
    """
    inputs = keras.Input((side, side, 3))
    backbone = _resnet50v2(weights)
    backbone.trainable = False
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)  # what the weights expect: -1..1
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    for units in (64, 32, 16):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="rails")


def _resnet50v2(weights: str) -> keras.Model:
    if weights not in (NO_WEIGHTS, "imagenet") and not Path(weights).is_file():
        raise Problem(
            f"params.yaml, train.weights: {weights}: no such file; must be 'imagenet', "
            f"'{NO_WEIGHTS}' or the path of a weights file."
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns where a file lacks a layer, and leaves that layer random.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            return keras.applications.ResNet50V2(
                include_top=False, weights=None if weights == NO_WEIGHTS else weights
            )
    except Exception as error:  # whatever the download, h5py or Keras raises
        reason = str(error).strip().splitlines()[0]
        raise Problem(
            f"params.yaml, train.weights: {weights}: the weights of ResNet50V2 could not be "
            f"loaded ({reason}). {_remedy(weights)}"
        ) from error


def _remedy(weights: str) -> str:
    if weights != "imagenet":
        return "The file must hold the weights of ResNet50V2 without its top."
    from keras.src.applications.resnet import BASE_WEIGHTS_PATH

    file = "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return (
        f"On a machine with internet access download {BASE_WEIGHTS_PATH}{file} and copy it to "
        f"~/.keras/models/{file} here, or name its path in train.weights. "
        f"'{NO_WEIGHTS}' starts from random weights."
    )


BUILDERS = {"small_cnn": small_cnn, "rails": rails}
