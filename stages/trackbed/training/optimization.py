"""Losses, class weights, learning-rate schedules, optimizers and phases of training, by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import keras
from keras.optimizers import schedules

from trackbed.networks import backbones
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError
from trackbed.training import callbacks, optimizers
from trackbed.training.train_params import TrainParams


def loss(name: str, *, label_smoothing: float, gamma: float) -> keras.losses.Loss:
    """'crossentropy', or 'focal' (Lin et al. 2017, arXiv 1708.02002) with the given gamma.

    This focal loss is the cross-entropy times (1 - p) ** gamma, without class weights.
    """
    if name == "crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    return keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=gamma, label_smoothing=label_smoothing
    )


Rate = float | schedules.LearningRateSchedule


def learning_rate(
    schedule: str, rate: float, *, decay_rate: float, decay_steps: int, steps: int, warmup: int
) -> Rate:
    """A learning rate that starts at, or warms up to, `rate`.

    'constant' and 'plateau' give `rate` itself; plateau_callbacks lowers the latter.
    'exponential' multiplies it by `decay_rate` over every `decay_steps` steps, continuously.
    'cosine' rises linearly from 0 over `warmup` steps and falls to 0 along half a cosine over
    the rest of `steps` (Loshchilov and Hutter 2017, arXiv 1608.03983). The warm-up takes at most
    half of the steps.
    """
    if schedule in ("constant", "plateau"):
        return rate
    if schedule == "exponential":
        return schedules.ExponentialDecay(rate, decay_steps, decay_rate)
    warmup = min(warmup, steps // 2)
    falling = max(1, steps - warmup)
    if not warmup:
        return schedules.CosineDecay(rate, falling)
    return schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=warmup)


def optimizer(
    name: str, rate: Rate, *, weight_decay: float, average: float, clip_norm: float = 0.0
) -> keras.optimizers.Optimizer:
    """'adam' (Kingma and Ba 2015), 'adamw' (decoupled weight decay, Loshchilov and Hutter 2019,
    arXiv 1711.05101) or 'sgd' with Nesterov momentum 0.9.

    weight_decay: per step and learning rate, 'adamw' only; biases and normalisation layers do
    not decay. average: momentum of an exponential moving average of the weights, 0 for none.
    clip_norm: largest norm of the gradient of all weights, 0 for any (Pascanu et al. 2013).
    """
    options = {"use_ema": True, "ema_momentum": average} if average else {}
    if clip_norm:
        options["global_clipnorm"] = clip_norm
    if name == "adam":
        return optimizers.Adam(rate, **options)
    if name == "sgd":
        return optimizers.SGD(rate, momentum=0.9, nesterov=True, **options)
    chosen = optimizers.AdamW(rate, weight_decay=weight_decay, **options)
    chosen.exclude_from_weight_decay(var_names=list(optimizers.NOT_DECAYED))
    return chosen


def loss_of(p: TrainParams) -> keras.losses.Loss:
    """The loss of section `train` of params.yaml."""
    return loss(p.loss, label_smoothing=p.label_smoothing, gamma=p.focal_gamma)


def rate_of(p: TrainParams, rate: float, epochs: int, steps: int) -> Rate:
    """The schedule of section `train`, for some epochs of `steps` steps, with `rate` on top."""
    return learning_rate(
        p.schedule,
        rate,
        decay_rate=p.decay_rate,
        decay_steps=p.decay_steps,
        steps=steps * epochs,
        warmup=steps * p.warmup_epochs,
    )


def optimizer_of(p: TrainParams, rate: Rate) -> keras.optimizers.Optimizer:
    """The optimizer of section `train`."""
    return optimizer(
        p.optimizer,
        rate,
        weight_decay=p.weight_decay,
        average=p.average,
        clip_norm=p.clip_norm,
    )


def plateau_callbacks(p: TrainParams) -> list[keras.callbacks.Callback]:
    """For the schedule 'plateau': a callback that lowers the rate when there is no improvement."""
    if p.schedule != "plateau":
        return []
    return [callbacks.Plateau(p.monitor, factor=p.plateau_factor, patience=p.plateau_patience)]


@dataclass(frozen=True)
class Phase:
    """Some epochs with an optimizer of their own; `prepare` is called before them."""

    epochs: int
    optimizer: keras.optimizers.Optimizer
    prepare: Callable[[], None] = lambda: None


def phases(p: TrainParams, spec: Spec, network: keras.Model, steps: int) -> list[Phase]:
    """One phase, or two where `head_epochs` is above 0.

    Of two phases the first trains with the whole backbone frozen; the second unfreezes the
    layers that the spec names and starts at `fine_tune_rate`. `steps` are those of an epoch.
    Raises UserError if there is no backbone or no epoch left for the second phase.
    """
    if not p.head_epochs:
        return [_phase(p, p.epochs, p.learning_rate, steps)]
    base = next((layer for layer in network.layers if isinstance(layer, keras.Model)), None)
    if base is None or p.head_epochs >= p.epochs:
        raise UserError(
            f"params.yaml, train.head_epochs: {p.head_epochs} epochs for the head need a network "
            f"with a backbone and more than that in train.epochs, got {p.network} and {p.epochs}."
        )
    freeze = partial(backbones.unfreeze, base, replace(spec, unfreeze="none"))
    unfreeze = partial(backbones.unfreeze, base, spec)
    return [
        _phase(p, p.head_epochs, p.learning_rate, steps, freeze),
        _phase(p, p.epochs - p.head_epochs, p.fine_tune_rate, steps, unfreeze),
    ]


def _phase(
    p: TrainParams,
    epochs: int,
    rate: float,
    steps: int,
    prepare: Callable[[], None] = lambda: None,
) -> Phase:
    return Phase(epochs, optimizer_of(p, rate_of(p, rate, epochs, steps)), prepare)
