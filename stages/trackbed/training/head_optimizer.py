"""Learning-rate schedules and optimizers of heads in NumPy.

They compute what trackbed.training.optimization sets up in Keras for the same keys of params.yaml,
up to rounding.
"""

from collections.abc import Callable

import numpy as np

from trackbed.training.dense_heads import DenseHeads
from trackbed.training.train_params import TrainParams

MOMENTUM = np.float32(0.9)  # of sgd, Nesterov's
FIRST, SECOND = np.float32(0.1), np.float32(0.001)  # 1 - beta_1 and 1 - beta_2 of Adam
EPSILON = np.float32(1e-7)
# Momenta of units that are always off fade to numbers so small that processors compute with them
# many times slower; long before that they change no weight.
FADED, STEPS_TO_FADE = np.float32(1e-30), 64


def rate_share(p: TrainParams, step: int, steps: int) -> float:
    """Share of train.learning_rate at a step, counted from 0, in epochs of `steps` steps.

    'plateau' starts as 'constant'; see early_stopping.RateFactor.
    """
    if p.schedule in ("constant", "plateau"):
        return 1.0
    if p.schedule == "exponential":
        return p.decay_rate ** (step / p.decay_steps)
    total = steps * p.epochs
    warmup = min(steps * p.warmup_epochs, total // 2)
    if step < warmup:
        return step / warmup
    falling = max(1, total - warmup)
    return 0.5 * (1 + np.cos(np.pi * min(step - warmup, falling) / falling))


class Optimizer:
    """adam, adamw or sgd with clipping and averaging, for the weights of a stack of heads.

    `averaged` has the moving average of the weights, or the weights themselves without one. Its
    momentum at step t is at most (1 + t) / (10 + t), and 0 at the first.
    """

    def __init__(self, p: TrainParams, heads: DenseHeads) -> None:
        weights = heads.weights
        self.p, self.heads, self.step_number = p, heads, 0
        self.first, self.second, self.free = (np.zeros_like(weights) for _ in range(3))
        self.averaged = DenseHeads(weights.copy(), heads.sizes) if p.average else heads
        self.update: Callable[[np.ndarray, np.ndarray], None] = (
            self._sgd if p.optimizer == "sgd" else self._adam
        )

    def step(self, gradient: np.ndarray, rates: np.ndarray) -> None:
        """Change the weights by a gradient (heads, parameters), which is overwritten.

        rates: learning rates, float, shape (heads,).
        """
        column = np.asarray(rates)[:, None]
        if self.p.clip_norm:
            _clip(gradient, np.float32(self.p.clip_norm))
        if self.p.optimizer == "adamw" and self.p.weight_decay:
            self._decay((self.p.weight_decay * column).astype(np.float32))
        self.update(gradient, column)
        if self.p.average:
            self._average()
        self.step_number += 1
        if self.step_number % STEPS_TO_FADE == 0:
            for momentum in (self.first, self.second):
                momentum[np.abs(momentum) < FADED] = 0

    def _decay(self, shares: np.ndarray) -> None:
        """Kernels shrink, biases do not."""
        parts = DenseHeads(self.free, self.heads.sizes).layers
        for (kernel, _), (free, _) in zip(self.heads.layers, parts, strict=True):
            np.multiply(kernel, shares[:, :, None], out=free)
            kernel -= free

    def _adam(self, gradient: np.ndarray, rates: np.ndarray) -> None:
        weights, free, count = self.heads.weights, self.free, self.step_number + 1
        factor = np.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        np.subtract(gradient, self.first, out=free)
        free *= FIRST
        self.first += free
        gradient *= gradient
        gradient -= self.second
        gradient *= SECOND
        self.second += gradient
        np.sqrt(self.second, out=free)
        free += EPSILON
        np.divide(self.first, free, out=free)
        free *= (rates * factor).astype(np.float32)
        weights -= free

    def _sgd(self, gradient: np.ndarray, rates: np.ndarray) -> None:
        gradient *= rates.astype(np.float32)
        self.first *= MOMENTUM
        self.first -= gradient
        np.multiply(self.first, MOMENTUM, out=self.free)
        self.free -= gradient
        self.heads.weights += self.free

    def _average(self) -> None:
        step, average = self.step_number, self.averaged.weights
        momentum = np.float32(min(self.p.average, (1 + step) / (10 + step)) if step else 0.0)
        average *= momentum
        np.multiply(self.heads.weights, 1 - momentum, out=self.free)
        average += self.free


def _clip(gradient: np.ndarray, most: np.float32) -> None:
    """Shorten the gradient of each head whose norm is above `most` (Pascanu et al. 2013)."""
    for one in gradient:
        norm = np.sqrt(np.dot(one, one))
        if not norm <= most:  # of NaN and infinity too, which then spread
            one *= most / norm
