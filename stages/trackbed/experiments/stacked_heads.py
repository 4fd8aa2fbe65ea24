"""Train many heads on embeddings at once, and find the best epoch of each.

The result of each head equals that of training it alone.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from trackbed.training import dense_heads, head_training
from trackbed.training.early_stopping import BestEpoch
from trackbed.training.head_training import Embedded, Head, HeadTraining
from trackbed.training.train_params import TrainParams

SCORES = ("val_loss", "val_accuracy", "val_macro_f1")
# Numbers of a stack that a step reads and writes: what a core keeps in its own cache.
AT_ONCE = 2**19


def best_epochs(
    p: TrainParams,
    sizes: Sequence[int],
    heads: Sequence[Head],
    embedded: Embedded,
    advance: Callable[[int], object] = lambda epochs: None,
) -> list[dict[str, float]]:
    """The best epoch of each head, counted from 1, as `best_epoch`, and its SCORES.

    They are NaN for a head that diverges before early stopping ends it. p: the parameters that all
    heads share; sizes: see dense_heads.DenseHeads. advance: called with the epochs of single heads
    that are done, or that early stopping saves; from several threads.
    """
    count = max(1, AT_ONCE // (4 * dense_heads.parameters(sizes) + 2 * p.batch * sizes[0]))
    stacks = [heads[start : start + count] for start in range(0, len(heads), count)]
    with head_training.one_thread(), ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(
            lambda some: list(_best_epochs(p, sizes, some, embedded, advance)), stacks
        )
        return [one for stack in found for one in stack]


def _best_epochs(
    p: TrainParams,
    sizes: Sequence[int],
    heads: Sequence[Head],
    embedded: Embedded,
    advance: Callable[[int], object],
) -> Iterable[dict[str, float]]:
    training = HeadTraining(p, sizes, heads, embedded)
    bests = [BestEpoch(p.monitor, p.patience) for _ in heads]
    waiting = dict(enumerate(bests))
    while waiting and training.epochs < p.epochs:
        training.train_epoch()
        logs = training.validate()
        advance(len(heads))
        for number, best in list(waiting.items()):
            if training.problem(number):
                best.logs = {}
                del waiting[number]
                continue
            best.add(logs[number])
            if best.stopped:
                del waiting[number]
    advance(len(heads) * (p.epochs - training.epochs))
    for best in bests:
        scores = {name: best.logs.get(name, np.nan) for name in SCORES}
        yield {"best_epoch": best.epoch + 1 if best.logs else np.nan} | scores
