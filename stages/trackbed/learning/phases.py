"""The phases of a training run: the head first, then fine-tuning, or all at once."""

from dataclasses import replace
from functools import partial
from typing import Protocol

import keras

from trackbed.learning import backbones, optimizers
from trackbed.learning.spec import Spec
from trackbed.learning.training import Phase
from trackbed.problems import Problem


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


def planned(p: Choices, spec: Spec, network: keras.Model, steps: int) -> list[Phase]:
    """One phase, or two where `head_epochs` is above 0.

    In the first of two the whole backbone is frozen; the second unfreezes what the spec says
    and starts anew from `fine_tune_rate`. `steps` are those of an epoch.
    Raises Problem if there is no backbone or nothing left for the second phase.
    """
    _refuse_long_warm_up(p)
    if not p.head_epochs:
        return [Phase(p.epochs, _optimizer(p, p.learning_rate, p.epochs, steps))]
    base = next((layer for layer in network.layers if isinstance(layer, keras.Model)), None)
    if base is None or p.head_epochs >= p.epochs:
        raise Problem(
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
        raise Problem(
            f"params.yaml, train.warmup_epochs: must be below train.epochs ({p.epochs}), "
            f"got {p.warmup_epochs}."
        )


def plateau(p: Choices) -> list[keras.callbacks.Callback]:
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
    scheduled = optimizers.learning_rate(
        p.schedule,
        rate,
        decay_rate=p.decay_rate,
        decay_steps=p.decay_steps,
        steps=steps * epochs,
        warmup=steps * p.warmup_epochs,
    )
    return optimizers.optimizer(
        p.optimizer,
        scheduled,
        weight_decay=p.weight_decay,
        average=p.average,
        clip_norm=p.clip_norm,
    )
