"""Optimizers and learning-rate schedules by name, all of them Keras' own."""

import keras
from keras.optimizers import schedules

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
