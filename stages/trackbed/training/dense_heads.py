"""Dense classifiers on embeddings in NumPy: several heads of one shape at once.

The first axis of every array is the head; a single head is a stack of one. What is computed for
a head does not depend on the others in its stack. All arrays are float32.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EPSILON = np.float32(1e-7)  # keras.config.epsilon(), which bounds probabilities in the focal loss
LEVELS = 2**16  # of the noise of dropout


class DenseHeads:
    """Heads with relu in their hidden layers and softmax in the last.

    weights: shape (heads, parameters), for each layer its kernel, row by row, and its bias;
    sizes: units of the embedding, of the hidden layers, and the number of classes. `layers` are
    views of the weights: a kernel (heads, inputs, outputs) and a bias (heads, outputs) for each.
    """

    def __init__(self, weights: np.ndarray, sizes: Sequence[int]) -> None:
        self.weights, self.sizes = weights, tuple(sizes)
        self.layers: list[tuple[np.ndarray, np.ndarray]] = []
        start = 0
        for inputs, outputs in itertools.pairwise(sizes):
            middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
            kernel = weights[:, start:middle].reshape(len(weights), inputs, outputs)
            self.layers.append((kernel, weights[:, middle:end]))
            start = end

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        """The input of every layer and, last, the logits; x: shape (heads, rows, units)."""
        found = [x]
        for number, (kernel, bias) in enumerate(self.layers):
            if number:
                np.maximum(found[-1], 0, out=found[-1])
            found.append(np.matmul(found[-1], kernel))
            found[-1] += bias[:, None]
        return found

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (heads, rows, classes) for embeddings (heads, rows, units)."""
        return softmax(self.activations(x)[-1])[0]

    def put_gradient(
        self, activations: list[np.ndarray], of_logits: np.ndarray, into: "DenseHeads"
    ) -> None:
        """Write the gradient with respect to the weights into the weights of `into`.

        activations: those of the same weights; of_logits: the gradient with respect to the logits.
        """
        gradient = of_logits
        for number in reversed(range(len(self.layers))):
            inputs, (of_kernel, of_bias) = activations[number], into.layers[number]
            np.matmul(inputs.swapaxes(1, 2), gradient, out=of_kernel)
            np.sum(gradient, axis=1, out=of_bias)
            if number:
                gradient = np.matmul(gradient, self.layers[number][0].swapaxes(1, 2))
                gradient *= inputs > 0


def parameters(sizes: Sequence[int]) -> int:
    """Number of weights of a head, biases included."""
    return sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(sizes))


def initial(sizes: Sequence[int], seed: int) -> np.ndarray:
    """Glorot-uniform kernels and zero biases of one head, shape (parameters,), by the seed.

    Uniform between plus and minus sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010).
    """
    random = np.random.default_rng([seed, 0, 2])
    weights = np.zeros((1, parameters(sizes)), np.float32)
    for kernel, _ in DenseHeads(weights, sizes).layers:
        limit = np.sqrt(6 / sum(kernel.shape[1:]))
        kernel[0] = random.uniform(-limit, limit, kernel.shape[1:])
    return weights[0]


class Dropout:
    """Sets a share of the inputs to zero and scales up the others; each head has its own share.

    rates: float, shape (heads,), each rounded to a multiple of 1 / LEVELS below 1. The
    noise follows from seed and epoch, and is the same for all heads.
    """

    def __init__(self, rates: np.ndarray, seed: int, epoch: int) -> None:
        rounded = np.rint(np.asarray(rates) * LEVELS).clip(max=LEVELS - 1)
        levels = rounded.astype(np.uint16)[:, None, None]
        self.lowest, self.used = levels, bool(levels.any())
        self.scale = (1 / (1 - levels / LEVELS)).astype(np.float32)
        self.bits = np.random.default_rng([seed, epoch, 1]).bit_generator

    def apply(self, x: np.ndarray) -> None:
        """Change embeddings (heads, rows, units) in place."""
        if not self.used:
            return
        rows, units = x.shape[1:]
        noise = self.bits.random_raw(-(-rows * units // 4)).view(np.uint16)[: rows * units]
        x *= np.multiply(noise.reshape(1, rows, units) >= self.lowest, self.scale)


@dataclass(frozen=True)
class Loss:
    """Cross-entropy, or with `gamma` the focal loss: cross-entropy times (1 - p) ** gamma.

    As trained by trackbed.training.optimization.loss.
    """

    label_smoothing: float = 0.0
    gamma: float | None = None  # of the focal loss (Lin et al. 2017, arXiv 1708.02002)

    def targets(self, labels: np.ndarray, classes: int) -> np.ndarray:
        """Wanted probabilities (..., classes) of labels (...)."""
        smoothing = np.float32(self.label_smoothing)
        found = np.eye(classes, dtype=np.float32) * (1 - smoothing) + smoothing / classes
        return found.astype(np.float32)[labels]

    def values(
        self, logits: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Losses (heads, rows), their gradient with respect to the logits, and probabilities.

        logits, targets: shape (heads, rows, classes), as the latter two results.
        """
        probabilities, logs = softmax(logits)
        if self.gamma is None:
            return -np.sum(targets * logs, axis=-1), probabilities - targets, probabilities
        return *self._focal(probabilities, targets), probabilities

    def _focal(
        self, probabilities: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        gamma, low, high = np.float32(self.gamma), EPSILON, 1 - EPSILON
        p = np.clip(probabilities, low, high)
        logs, others = np.log(p), 1 - p
        losses = -np.sum(targets * others**gamma * logs, axis=-1)
        of_p = targets * (gamma * others ** (gamma - 1) * logs - others**gamma / p)
        of_p *= (probabilities >= low) & (probabilities <= high)
        mean = np.sum(of_p * probabilities, axis=-1, keepdims=True)
        return losses, probabilities * (of_p - mean)


def softmax(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and their logarithms over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    total = powers.sum(axis=-1, keepdims=True)
    return powers / total, shifted - np.log(total)
