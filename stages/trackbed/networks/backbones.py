"""Classifiers on a backbone of keras.applications, frozen or fine-tuned."""

import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from keras import layers

from trackbed.networks.embeddings import EMBEDDING, HIDDEN
from trackbed.networks.spec import NO_WEIGHTS, Spec
from trackbed.pipeline.errors import UserError

NAMES = tuple(
    sorted(
        name
        for name, found in vars(keras.applications).items()
        if name[0].isupper() and callable(found)
    )
)


def classifier(
    spec: Spec, backbone: str, hidden: Sequence[int] = (), name: str | None = None
) -> keras.Model:
    """A backbone, global average pooling, dropout, `hidden` dense layers and the classes.

    Random weights of a frozen backbone do not depend on the seed of the run, so that its
    embeddings are the same in all runs. The input is rescaled to the range that the backbone's
    weights expect, or to 0..1 if `spec.scaling` is 'unit'. A pretrained backbone keeps the
    statistics of its batch normalisation even while it is fine-tuned; updating them would destroy
    what the weights have learned (keras.io, transfer learning).
    Raises UserError if the weights cannot be loaded or `spec.unfreeze` names no layer.
    """
    with _seed_of_frozen_weights(spec):
        base = _backbone(spec, backbone)
    unfreeze(base, spec)
    inputs = spec.inputs()
    x = rescaled(inputs, backbone) if spec.scaling == "own" else layers.Rescaling(1 / 255)(inputs)
    x = layers.GlobalAveragePooling2D(name=EMBEDDING)(base(x))
    return spec.model(name or backbone.lower(), inputs, _head_layers(x, spec, hidden))


def _head_layers(x: keras.KerasTensor, spec: Spec, hidden: Sequence[int]) -> keras.KerasTensor:
    x = layers.Dropout(spec.dropout)(x)
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    return x


def rails(spec: Spec) -> keras.Model:
    """The RAILS classifier: ResNet50V2 and a head of 64, 32 and 16 units.

    23,564,800 parameters in the backbone, 133,829 in the head at 5 classes.
    """
    return classifier(spec, "ResNet50V2", HIDDEN["rails"], "rails")


def gtsrb(spec: Spec) -> keras.Model:
    """ResNet50 with global average pooling and one dense layer (GTSRB training report, 2025)."""
    return classifier(spec, "ResNet50", name="gtsrb")


def unfreeze(base: keras.Model, spec: Spec) -> None:
    """Make the layers trainable that `spec.unfreeze` names, and freeze all others.

    The batch normalisation of pretrained weights stays frozen. Raises UserError for a name or a
    number that the backbone does not have.
    """
    first = _first_trained(base, spec.unfreeze)
    # A frozen normalisation layer uses its stored statistics in training too. Calling the backbone
    # with training=False has no effect: Keras passes the outer model's value on to the layers.
    kept = keras.layers.BatchNormalization if spec.weights != NO_WEIGHTS else ()
    base.trainable = True
    for number, layer in enumerate(base.layers):
        layer.trainable = number >= first and not isinstance(layer, kept)


def _first_trained(base: keras.Model, which: str) -> int:
    names = [layer.name for layer in base.layers]
    if which == "all":
        return 0
    if which == "none":
        return len(names)
    if which.isdigit() and int(which) <= len(names):
        return len(names) - int(which)
    if which in names:
        return names.index(which)
    raise UserError(
        f"params.yaml, train.unfreeze: {base.name} has {len(names)} layers, {names[1]} to "
        f"{names[-1]}; must be none, all, one of their names or a number, got {which}."
    )


def rescaled(inputs: keras.KerasTensor, backbone: str) -> keras.KerasTensor:
    """Pixels 0..255, rescaled as by the backbone's own `preprocess_input`.

    That function is affine per channel, and for some backbones reorders the channels to blue,
    green, red. Its factors and offsets are computed from black and the three pure colours.
    """
    preprocess = sys.modules[_builder(backbone).__module__].preprocess_input
    offset = preprocess(np.zeros((1, 3), np.float32))[0]
    response = preprocess(255 * np.eye(3, dtype=np.float32)) - offset
    if response[0, 0] == 0:
        inputs = keras.ops.flip(inputs, axis=-1)
        response = response[::-1]
    scale = np.diag(response) / 255
    if np.all(scale == 1) and not offset.any():
        return inputs  # the backbone rescales by itself
    return layers.Rescaling(scale.tolist(), offset.tolist())(inputs)


def _builder(backbone: str) -> Callable[..., keras.Model]:
    return getattr(keras.applications, backbone)


def _backbone(spec: Spec, backbone: str) -> keras.Model:
    weights = spec.weights
    if weights not in (NO_WEIGHTS, "imagenet") and not Path(weights).is_file():
        raise UserError(
            f"params.yaml, train.weights: {weights}: no such file; must be 'imagenet', "
            f"'{NO_WEIGHTS}' or the path of a weights file."
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns where a file lacks a layer, and leaves that layer random.
            warnings.filterwarnings("error", message=".*freshly-initialized")
            return _builder(backbone)(
                include_top=False,
                weights=None if weights == NO_WEIGHTS else weights,
                input_shape=(spec.side, spec.side, 3),
            )
    except Exception as error:  # whatever the download, h5py or Keras raises
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        if "nput size must be" in reason:
            raise UserError(f"params.yaml, train.image_side: {backbone}: {reason}") from error
        raise UserError(
            f"params.yaml, train.weights: {weights}: the weights of {backbone} could not be "
            f"loaded ({reason}). {_remedy(weights, backbone)}"
        ) from error


@contextmanager
def _seed_of_frozen_weights(spec: Spec) -> Iterator[None]:
    """Make the random weights of a frozen backbone independent of the seed of the run.

    Keras takes the seeds of its initializers from Python's random numbers. Their state is
    restored afterwards, so that the head gets the seeds that the run's seed gives it.
    """
    state = random.getstate()
    if spec.unfreeze == "none":
        random.seed(0)
    yield
    if spec.unfreeze == "none":
        random.setstate(state)


def _remedy(weights: str, backbone: str) -> str:
    if weights != "imagenet":
        return f"The file must hold the weights of {backbone} without its top."
    return (
        "On a machine with internet access run `python -c 'import keras; "
        f'keras.applications.{backbone}(include_top=False, weights="imagenet")\'` and copy the '
        "*notop*.h5 file that it puts into ~/.keras/models to ~/.keras/models here, or name its "
        f"path in train.weights. '{NO_WEIGHTS}' starts from random weights."
    )
