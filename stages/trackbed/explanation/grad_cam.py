"""Grad-CAM of a Keras model, for heads that inference.class_activation does not know."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import UserError
from trackbed.training import checkpoint

BATCH = 32  # images at a time
SMALLEST = float(np.finfo(np.float32).tiny)  # that has a logarithm


@dataclass(frozen=True)
class GradCam:
    """Pixels to the last map of a network, and that map to probabilities."""

    features: keras.Model
    rest: keras.Model

    def explained(
        self, images: np.ndarray, labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities, (images, classes), and maps, (images, height, width), both float32.

        As inference.class_activation.Explainer.explained, by automatic differentiation.
        """
        starts = range(0, len(images), BATCH)
        found = [
            self._explained(
                images[start : start + BATCH],
                None if labels is None else labels[start : start + BATCH],
            )
            for start in starts
        ]
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))

    def _explained(
        self, images: np.ndarray, labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        features = tf.cast(self.features(images, training=False), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(features)
            probabilities, logits = self.rest(features, training=False)
            if labels is None:
                labels = probabilities.numpy().argmax(axis=1)
            odds = log_odds(tf.cast(logits, tf.float32), labels)
        gradients = tf.reduce_mean(tape.gradient(odds, features), axis=(1, 2), keepdims=True)
        return probabilities.numpy(), tf.reduce_sum(features * gradients, axis=-1).numpy()


def log_odds(logits: tf.Tensor, labels: np.ndarray) -> tf.Tensor:
    """log(p / (1 - p)) of a class: the logit less the log-sum-exp of the others; (images,).

    With a single class the logit itself, whose log-odds are infinite.
    """
    own = tf.one_hot(labels, logits.shape[1], on_value=True, off_value=False, dtype=tf.bool)
    chosen = tf.boolean_mask(logits, own)
    if logits.shape[1] == 1:
        return chosen
    others = tf.reshape(tf.boolean_mask(logits, ~own), (-1, logits.shape[1] - 1))
    return chosen - tf.reduce_logsumexp(others, axis=1)


def read(models_path: Path) -> GradCam:
    """Grad-CAM of the trained model of a folder; starts TensorFlow.

    Raises UserError where there is no model, or it has no map.
    """
    tensorflow_setup.start()
    tensorflow_setup.make_deterministic(0)
    return of(checkpoint.load(models_path)[0])


def of(model: keras.Model) -> GradCam:
    """Grad-CAM of a classifier with a dense softmax as its last layer.

    The map is the input of the last layer that takes four dimensions and gives fewer. (Its
    output, where it is a nested backbone's, belongs to the graph of that backbone.)
    Raises UserError for a model without such a layer.
    """
    for layer in reversed(model.layers):
        if _dimensions(layer.output) < 4 == _dimensions(layer.input):
            map_of = keras.Model(model.inputs[0], layer.input)
            return GradCam(map_of, keras.Model(layer.input, _with_logits(model)))
    raise UserError(
        f"{model.name}: no layer takes a map of the picture (height, width, channels), so there "
        "is no place in the picture to point at."
    )


def _with_logits(model: keras.Model) -> list[keras.KerasTensor]:
    """The probabilities of a classifier, and what its softmax gets."""
    last = model.layers[-1]
    if isinstance(last, keras.layers.Dense) and last.activation is keras.activations.softmax:
        logits = keras.ops.matmul(keras.ops.cast(last.input, "float32"), last.kernel)
        return [model.outputs[0], logits + last.bias if last.use_bias else logits]
    # Up to a constant, which the log-odds do not depend on.
    return [model.outputs[0], keras.ops.log(keras.ops.maximum(model.outputs[0], SMALLEST))]


def _dimensions(tensor: keras.KerasTensor | list[keras.KerasTensor]) -> int:
    return 0 if isinstance(tensor, list) else len(tensor.shape)
