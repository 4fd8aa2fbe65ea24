"""Train heads on embeddings in NumPy: one, or several of one shape at once."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from trackbed.pipeline.errors import Diverged
from trackbed.training import dense_heads, sampling
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import BestEpoch, Observer, Outcome, RateFactor
from trackbed.training.head_optimizer import Optimizer, rate_share
from trackbed.training.train_params import TrainParams

ROWS_AT_ONCE = 4096  # of validation


@dataclass(frozen=True)
class Embedded:
    """Embeddings and their labels (int; images), from which heads take rows.

    training: float32, shape (images, units), or (images, views, units) where every image has
    several; validation: float32, shape (images, units).
    """

    training: np.ndarray
    training_labels: np.ndarray
    validation: np.ndarray
    validation_labels: np.ndarray


@dataclass(frozen=True)
class Head:
    """What may differ between heads trained together.

    training, validation: int, numbers of rows of the embeddings; all heads have equally many of
    the former.
    """

    learning_rate: float
    dropout: float
    training: np.ndarray
    validation: np.ndarray


class HeadTraining:
    """The training of a stack of heads, epoch by epoch. Heads do not depend on each other.

    p: the parameters that all heads share. sizes: see DenseHeads.
    """

    def __init__(
        self, p: TrainParams, sizes: Sequence[int], heads: Sequence[Head], embedded: Embedded
    ) -> None:
        self.p, self.heads, self.embedded, self.epochs = p, heads, embedded, 0
        initial = dense_heads.initial(sizes, p.seed)
        self.stack = DenseHeads(np.repeat(initial[None], len(heads), axis=0), sizes)
        self.gradient = DenseHeads(np.empty_like(self.stack.weights), sizes)
        self.optimizer = Optimizer(p, self.stack)
        gamma = p.focal_gamma if p.loss == "focal" else None
        self.loss = dense_heads.Loss(p.label_smoothing, gamma)
        self.factors = [RateFactor(p.monitor, p.plateau_factor, p.plateau_patience) for _ in heads]
        self.steps = sampling.steps(len(heads[0].training), p.batch)
        _, *views, units = embedded.training.shape
        self.views = views[0] if views else 1
        # Row `view * images + image`: the views of an image lie apart, see Embeddings.training.
        self.rows = (
            embedded.training.swapaxes(0, -2).reshape(-1, units) if views else (embedded.training)
        )
        self.weights = [self._class_weights(head) for head in heads]
        self.found: list[dict[str, float]] = []

    @np.errstate(all="ignore")  # values that are not finite are found by `problem`
    def train_epoch(self) -> None:
        """Go through the training rows once."""
        p, count = self.p, len(self.heads[0].training)
        images, places, weights = self._order()
        labels = self.embedded.training_labels[images]
        wanted = self.loss.targets(labels, self.stack.sizes[-1])
        dropout = dense_heads.Dropout([head.dropout for head in self.heads], p.seed, self.epochs)
        losses, predicted = np.empty(labels.shape, np.float32), np.empty_like(labels)
        for start in range(0, count, p.batch):
            part = slice(start, start + p.batch)
            given = None if weights is None else weights[:, part]
            losses[:, part], probabilities = self._step(
                dropout, places[:, part], wanted[:, part], given
            )
            probabilities.argmax(axis=-1, out=predicted[:, part])
        self.epochs += 1
        rate = self._rates().astype(np.float32)
        self.found = [
            _scores(*one) | {"learning_rate": float(rate[number])}
            for number, one in enumerate(zip(losses, labels, predicted, strict=True))
        ]

    @np.errstate(all="ignore")
    def validate(self) -> list[dict[str, float]]:
        """The logs of the epoch, for every head; the learning rate may fall then."""
        for number, found in enumerate(self.found):
            scores = self.validation(number, self.optimizer.averaged)
            found |= {f"val_{name}": value for name, value in scores.items()}
            if self.p.schedule == "plateau":
                self.factors[number].add(found)
        return self.found

    def validation(self, number: int, stack: DenseHeads) -> dict[str, float]:
        """Loss and scores of a head on its validation rows, with the weights of a stack."""
        rows = self.heads[number].validation
        labels = self.embedded.validation_labels[rows]
        head = DenseHeads(stack.weights[number : number + 1], stack.sizes)
        logits = logits_of(head, self.embedded.validation, rows)[None]
        wanted = self.loss.targets(labels, stack.sizes[-1])[None]
        losses, _, probabilities = self.loss.values(logits, wanted)
        return _scores(losses[0], labels, probabilities[0].argmax(axis=-1))

    def problem(self, number: int) -> str:
        """What is not finite of a head after an epoch, as text, '' if nothing is."""
        for name, value in self.found[number].items():
            if not math.isfinite(value):
                where = "validation" if name.startswith("val_") else "training"
                return f"{name} became {value} at epoch {self.epochs}, {where}"
        # The sum is finite only if all weights are; it overflows where they are useless.
        total = float(np.abs(self.optimizer.averaged.weights[number]).sum())
        return "" if math.isfinite(total) else f"a weight became {total} at epoch {self.epochs}"

    def _step(
        self,
        dropout: dense_heads.Dropout,
        places: np.ndarray,
        wanted: np.ndarray,
        weights: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Losses and probabilities of a batch; the weights change."""
        x = np.take(self.rows, places, axis=0)
        dropout.apply(x)
        activations = self.stack.activations(x)
        losses, gradient, probabilities = self.loss.values(activations[-1], wanted)
        if weights is not None:
            losses, gradient = losses * weights, gradient * weights[:, :, None]
        gradient *= np.float32(1 / places.shape[1])
        self.stack.put_gradient(activations, gradient, self.gradient)
        self.optimizer.step(self.gradient.weights, self._rates())
        return losses, probabilities

    def _rates(self) -> np.ndarray:
        share = rate_share(self.p, self.optimizer.step_number, self.steps)
        return np.array(
            [
                head.learning_rate * share * factor.value
                for head, factor in zip(self.heads, self.factors, strict=True)
            ]
        )

    def _class_weights(self, head: Head) -> np.ndarray:
        return sampling.class_weights(self.embedded.training_labels[head.training])

    def _order(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Of an epoch, for every head: images, their rows in `rows`, and weights if any."""
        images, places, weights = [], [], []
        for head, weight in zip(self.heads, self.weights, strict=True):
            share = weight / weight.sum(dtype=float) if self.p.balanced_sampling else None
            order, view = sampling.epoch_rows(
                len(head.training), self.p.seed, self.epochs, share, self.views
            )
            images.append(head.training[order])
            places.append(view * len(self.embedded.training) + images[-1])
            weights.append(weight[order])
        return (
            np.stack(images),
            np.stack(places),
            (np.stack(weights) if self.p.class_weights else None),
        )


def fit(
    p: TrainParams, kept: DenseHeads, embedded: Embedded, observers: Sequence[Observer] = ()
) -> Outcome:
    """Train one head on all rows; `kept`, a stack of one, gets the weights of its best epoch.

    Raises Diverged as soon as a loss, a score or a weight is not finite; `kept` then has the
    weights of the best epoch before that, if there is one, and otherwise those that it had.
    """
    rows = np.arange(len(embedded.training)), np.arange(len(embedded.validation))
    head = Head(p.learning_rate, p.dropout, *rows)
    training = HeadTraining(p, kept.sizes, [head], embedded)
    best = BestEpoch(p.monitor, p.patience)
    while best.epochs < p.epochs and not best.stopped:
        for observer in observers:
            observer.on_epoch_begin(best.epochs)
        training.train_epoch()
        for observer in observers:
            observer.on_test_begin()
        (logs,) = training.validate()
        if problem := training.problem(0):
            raise Diverged(f"{problem}; lower train.learning_rate.")
        if best.add(logs):
            kept.weights[:] = training.optimizer.averaged.weights
        for observer in observers:
            observer.on_epoch_end(best.epochs - 1, logs)
    early = best.epochs < p.epochs
    return Outcome(best.epoch + 1, best.epochs, early, _last_epoch(training))


def logits_of(head: DenseHeads, embedded: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Logits (rows, classes) of a stack of one for rows of embeddings (images, units)."""
    parts = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
    return np.concatenate([head.activations(embedded[part][None])[-1][0] for part in parts])


def probabilities_of(head: DenseHeads, embedded: np.ndarray) -> np.ndarray:
    """Probabilities (images, classes) of a stack of one for embeddings (images, units)."""
    return dense_heads.softmax(logits_of(head, embedded, np.arange(len(embedded))))[0]


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrix products on one thread, so that their rounding does not depend on the cores.

    The matrices of a head are too small to gain from more.
    """
    import threadpoolctl

    with threadpoolctl.threadpool_limits(1, "blas"):
        yield


def macro_f1(labels: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """The mean F1 of the classes that have images, as in docs/scores.md; labels: int, (images,)."""
    hits, images, guesses = (
        np.bincount(some, minlength=classes)
        for some in (labels[labels == predicted], labels, predicted)
    )
    present = images > 0
    return float(np.mean(2 * hits[present] / (images + guesses)[present]))


def _scores(losses: np.ndarray, labels: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    classes = int(max(labels.max(), predicted.max())) + 1
    return {
        "loss": float(losses.mean(dtype=float)),
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": macro_f1(labels, predicted, classes),
    }


def _last_epoch(training: HeadTraining) -> dict[str, dict[str, float]]:
    """Validation scores of averaged and of raw weights; {} without an average."""
    if not training.p.average:
        return {}
    scores = {
        "averaged": training.validation(0, training.optimizer.averaged),
        "raw": training.validation(0, training.stack),
    }
    return {
        weights: {f"val_{name}": value for name, value in found.items()}
        for weights, found in scores.items()
    }
