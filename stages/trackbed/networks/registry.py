"""Networks by name: pixels 0..255 in, class probabilities out, rescaling inside."""

from functools import partial

import keras

from trackbed.networks import backbones, scenes
from trackbed.networks.small_cnn import small_cnn
from trackbed.networks.spec import NO_WEIGHTS, Spec
from trackbed.pipeline.errors import UserError

FROM_SCRATCH = {
    "small_cnn": small_cnn,
    "scenes_underfit": scenes.underfit,
    "scenes_overfit": scenes.overfit,
    "scenes_optimized": scenes.optimized,
}
ON_BACKBONES = {"rails": backbones.rails, "gtsrb": backbones.gtsrb} | {
    name: partial(backbones.classifier, backbone=name) for name in backbones.NAMES
}
BUILDERS = FROM_SCRATCH | ON_BACKBONES


def build(name: str, spec: Spec) -> keras.Model:
    """An untrained network for float or uint8 pixels 0..255 of shape (batch, side, side, 3).

    The output is a float32 softmax over the classes.
    Raises UserError for an unknown name, and for weights that cannot be loaded or that the network
    does not take.
    """
    if name not in BUILDERS:
        raise UserError(
            f"params.yaml, train.network: must be one of {', '.join(FROM_SCRATCH)}, rails, "
            f"gtsrb or a backbone of keras.applications such as MobileNetV2, got {name}."
        )
    if name in FROM_SCRATCH and spec.weights != NO_WEIGHTS:
        raise UserError(
            f"params.yaml, train.weights: {name} is trained from scratch; use "
            f"'{NO_WEIGHTS}', got {spec.weights}."
        )
    return BUILDERS[name](spec)
