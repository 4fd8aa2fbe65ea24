"""Losses, optimizers, learning-rate schedules and phases of training, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import keras
import numpy as np
from keras.optimizers import schedules

from trackbed.networks import backbones
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError


def loss(name: str, *, label_smoothing: float, gamma: float) -> keras.losses.Loss:
    """'crossentropy', or 'focal' (Lin et al. 2017, arXiv 1708.02002) with the given gamma.

    The focal loss is the cross-entropy times (1 - p) ** gamma, without class weights of its own.
    """
    if name == "crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    return keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=gamma, label_smoothing=label_smoothing
    )


def class_weights(labels: np.ndarray) -> np.ndarray:
    """Weight per image, float32, that makes all classes weigh the same; its mean is 1.

    labels: int, shape (images,). As scikit-learn's class_weight="balanced": images / (classes *
    images of the class).
    """
    counts = np.bincount(labels)
    present = np.count_nonzero(counts)
    return (len(labels) / (present * counts[labels])).astype(np.float32)


Rate = float | schedules.LearningRateSchedule


def learning_rate(
    schedule: str, rate: float, *, decay_rate: float, decay_steps: int, steps: int, warmup: int
) -> Rate:
    """A learning rate that starts at, or warms up to, `rate`.

    'constant' and 'plateau' stay; the latter is lowered by a callback. 'exponential' multiplies
    it by `decay_rate` over every `decay_steps` steps, without stairs. 'cosine' rises linearly
    from 0 over `warmup` steps and falls to 0 along half a cosine over the rest of `steps`
    (Loshchilov and Hutter 2017, arXiv 1608.03983).
    """
    if schedule in ("constant", "plateau"):
        return rate
    if schedule == "exponential":
        return schedules.ExponentialDecay(rate, decay_steps, decay_rate)
    falling = max(1, steps - warmup)
    if not warmup:
        return schedules.CosineDecay(rate, falling)
    return schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=warmup)


def optimizer(
    name: str, rate: Rate, *, weight_decay: float, average: float, clip_norm: float = 0.0
) -> keras.optimizers.Optimizer:
    """'adam' (Kingma and Ba 2015), 'adamw' (decoupled weight decay, Loshchilov and Hutter 2019,
    arXiv 1711.05101) or 'sgd' with Nesterov momentum 0.9.

    weight_decay: per step and learning rate, for 'adamw' alone; biases and normalisation are
    left out. average: momentum of an exponential moving average of the weights, 0 for none.
    clip_norm: longest gradient, all weights together, 0 for any length (Pascanu et al. 2013).
    """
    options = {"use_ema": True, "ema_momentum": average} if average else {}
    if clip_norm:
        options["global_clipnorm"] = clip_norm
    if name == "adam":
        return keras.optimizers.Adam(rate, **options)
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **options)
    chosen = keras.optimizers.AdamW(rate, weight_decay=weight_decay, **options)
    chosen.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return chosen


@dataclass(frozen=True)
class Phase:
    """Some epochs with an optimizer of their own; `prepare` is called before them."""

    epochs: int
    optimizer: keras.optimizers.Optimizer
    prepare: Callable[[], None] = lambda: None


class Choices(Protocol):
    """The keys of section `train` in params.yaml that decide on phases and learning rate."""

    network: str
    head_epochs: int
    fine_tune_rate: float
    epochs: int
    monitor: str
    optimizer: str
    learning_rate: float
    weight_decay: float
    clip_norm: float
    average: float
    schedule: str
    decay_rate: float
    decay_steps: int
    warmup_epochs: int
    plateau_factor: float
    plateau_patience: int


def phases(p: Choices, spec: Spec, network: keras.Model, steps: int) -> list[Phase]:
    """One phase, or two where `head_epochs` is above 0.

    In the first of two the whole backbone is frozen; the second unfreezes what the spec says
    and starts anew from `fine_tune_rate`. `steps` are those of an epoch.
    Raises UserError if there is no backbone or nothing left for the second phase.
    """
    _refuse_long_warm_up(p)
    if not p.head_epochs:
        return [Phase(p.epochs, _optimizer(p, p.learning_rate, p.epochs, steps))]
    base = next((layer for layer in network.layers if isinstance(layer, keras.Model)), None)
    if base is None or p.head_epochs >= p.epochs:
        raise UserError(
            f"params.yaml, train.head_epochs: {p.head_epochs} epochs for the head need a network "
            f"with a backbone and more than that in train.epochs, got {p.network} and {p.epochs}."
        )
    rest = p.epochs - p.head_epochs
    return [
        Phase(
            p.head_epochs,
            _optimizer(p, p.learning_rate, p.head_epochs, steps),
            partial(backbones.unfreeze, base, replace(spec, unfreeze="none")),
        ),
        Phase(
            rest,
            _optimizer(p, p.fine_tune_rate, rest, steps),
            partial(backbones.unfreeze, base, spec),
        ),
    ]


def _refuse_long_warm_up(p: Choices) -> None:
    if p.schedule == "cosine" and p.warmup_epochs >= p.epochs:
        raise UserError(
            f"params.yaml, train.warmup_epochs: must be below train.epochs ({p.epochs}), "
            f"got {p.warmup_epochs}."
        )


def plateau_callbacks(p: Choices) -> list[keras.callbacks.Callback]:
    """For the schedule 'plateau': lower the rate when the monitored value stands still."""
    if p.schedule != "plateau":
        return []
    return [
        keras.callbacks.ReduceLROnPlateau(
            p.monitor,
            factor=p.plateau_factor,
            patience=p.plateau_patience,
            mode="min" if p.monitor.endswith("loss") else "max",
        )
    ]


def _optimizer(p: Choices, rate: float, epochs: int, steps: int) -> keras.optimizers.Optimizer:
    scheduled = learning_rate(
        p.schedule,
        rate,
        decay_rate=p.decay_rate,
        decay_steps=p.decay_steps,
        steps=steps * epochs,
        warmup=steps * p.warmup_epochs,
    )
    return optimizer(
        p.optimizer,
        scheduled,
        weight_decay=p.weight_decay,
        average=p.average,
        clip_norm=p.clip_norm,
    )
