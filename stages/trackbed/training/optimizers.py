"""Optimizers of Keras that treat all weights as two vectors, and average the weights.

A network has dozens of small weights. One operation on a vector of all of them takes the place of
dozens: a step takes less time, and so does building the graph of the training.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

NOT_DECAYED = ("bias", "gamma", "beta")  # of layers and of normalisation


class _Flat(keras.optimizers.Optimizer):
    """Applies the rule of its base class to vectors: of the kernels, and of NOT_DECAYED.

    The result is that of the rule on each weight, up to rounding. The vectors are filled from the
    weights before every step, and the weights from the vectors after it.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create the vectors, and the optimizer's variables for them."""
        if self.built:
            return
        self.weights = list(variables)
        others = [any(name in weight.name for name in NOT_DECAYED) for weight in self.weights]
        self.places = [list(np.flatnonzero(np.equal(others, kind))) for kind in (False, True)]
        self.vectors = [
            keras.Variable(self._joined(self.weights, places), trainable=True, name=name)
            for places, name in zip(self.places, ("kernel", NOT_DECAYED[0]), strict=True)
            if places
        ]
        self.places = [places for places in self.places if places]
        super().build(self.vectors)
        self.exchange_averages = tf.function(self._exchange_averages)

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Change the weights by their gradients; a weight without a gradient has one of zeros."""
        self.build(trainable_variables)
        given = [
            tf.zeros_like(weight.value) if gradient is None else tf.convert_to_tensor(gradient)
            for gradient, weight in zip(grads, self.weights, strict=True)
        ]
        self.collect()
        super().apply([self._joined(given, places) for places in self.places], self.vectors)
        self.distribute()

    def collect(self) -> None:
        """Fill the vectors from the weights."""
        for vector, places in zip(self.vectors, self.places, strict=True):
            vector.assign(self._joined(self.weights, places))

    def distribute(self) -> None:
        """Fill the weights from the vectors."""
        for vector, places in zip(self.vectors, self.places, strict=True):
            weights = [self.weights[place] for place in places]
            parts = tf.split(vector.value, [int(np.prod(weight.shape)) for weight in weights])
            for weight, part in zip(weights, parts, strict=True):
                weight.assign(tf.reshape(part, weight.shape))

    def _exchange_averages(self) -> None:
        """Give the weights their averages, and the averages the weights."""
        self.collect()
        for vector, average in zip(self.vectors, self._model_variables_moving_average, strict=True):
            weights = tf.identity(vector.value)
            vector.assign(average)
            average.assign(weights)
        self.distribute()

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Give the weights their averages, if they are averaged."""
        super().finalize_variable_values(self.vectors)
        self.distribute()

    def _joined(self, values: Sequence[Any], places: Sequence[int]) -> tf.Tensor:
        return tf.concat([tf.reshape(values[place], [-1]) for place in places], axis=0)

    def _apply_weight_decay(self, variables: Sequence[keras.Variable]) -> None:
        if self.weight_decay is not None:
            for vector in variables:
                if self._use_weight_decay(vector):
                    _subtract(vector, self.weight_decay * self.learning_rate, vector.value)

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        """Move the averages; the momentum starts low and rises with the steps.

        At step t it is min(ema_momentum, (1 + t) / (10 + t)), as in TensorFlow's
        tf.train.ExponentialMovingAverage with num_updates, and 0 at the first step. With one that
        is high from the start, the average of a short run consists mostly of its first weights.
        """
        if not self.use_ema:
            return
        step = tf.cast(self.iterations.value, tf.float32)
        momentum = tf.minimum(self.ema_momentum, (1 + step) / (10 + step)) * tf.minimum(step, 1)
        for vector, average in zip(self.vectors, self._model_variables_moving_average, strict=True):
            _subtract(average, 1 - momentum, average.value - vector.value)


class _FlatAdam(_Flat):
    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: Any) -> None:
        """The rule of Keras' Adam as one operation of TensorFlow."""
        number = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].value.handle,
            v=self._velocities[number].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class Adam(_FlatAdam, keras.optimizers.Adam):
    pass


class AdamW(_FlatAdam, keras.optimizers.AdamW):
    pass


class SGD(_Flat, keras.optimizers.SGD):
    pass


def _subtract(variable: keras.Variable, factor: tf.Tensor, value: tf.Tensor) -> None:
    """Subtract factor times value from a variable, in one pass over its memory."""
    tf.raw_ops.ResourceApplyGradientDescent(
        var=variable.value.handle, alpha=tf.cast(factor, tf.float32), delta=value
    )
