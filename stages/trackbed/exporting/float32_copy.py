"""A model in float32 with the weights of one that was trained in mixed precision."""

from typing import Any

import keras

FLOAT32 = "float32"


def float32_copy(model: keras.Model) -> keras.Model:
    """The same layers and weights, computing in float32; the model itself if it does so already.

    Weights are float32 in mixed precision, too. A graph that computes in bfloat16 or float16
    converts without an error into files that no runtime loads.
    """
    config = model.get_config()
    changed = _in_float32(config)
    if changed == config:
        return model
    copy = type(model).from_config(changed)
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_in_float32(inner) for inner in value)
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return {**value, "config": {"name": FLOAT32}}
    return {key: _in_float32(inner) for key, inner in value.items()}
