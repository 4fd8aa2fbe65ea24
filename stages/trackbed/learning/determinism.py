"""Make what follows in this process repeatable."""

import keras
import tensorflow as tf


def reproducible(seed: int, precision: str = "float32") -> None:
    """Seed Python, NumPy and TensorFlow, and let TensorFlow use deterministic operations only.

    precision: 'float32', or 'mixed_bfloat16' or 'mixed_float16' for the layers built from now on.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    keras.mixed_precision.set_global_policy(precision)
