"""Many heads on the same embeddings: one after the other with Keras, or all at once."""

import time
from typing import Any

from speed.bench import Bench, Contestant, Task, Values

UNITS, CLASSES, FOLDS, EPOCHS, BATCH = 2048, 5, 5, 10, 32
RATES, DROPOUTS = (1e-2, 1e-3, 1e-4), (0.1, 0.3, 0.5)
WHOLE = "s for all heads"


def one_by_one(task: Task) -> Values:
    """`training.fit` for every point, as the train stage does."""
    from trackbed.networks.augmentation import Augmentation
    from trackbed.training import batches, loop, optimization

    embedded, labels = _embedded(task.images)
    begun = time.perf_counter()
    for model, rate, _, rows, held_out in _points(len(labels)):
        loop.fit(
            model,
            Augmentation(),
            batches.Examples(embedded[rows], labels[rows]),
            batches.Examples(embedded[held_out], labels[held_out]),
            phases=[optimization.Phase(EPOCHS, _optimizer(rate))],
            loss=_loss(),
            plan=loop.Plan(batch=BATCH, patience=EPOCHS, seed=0),
        )
    return {WHOLE: time.perf_counter() - begun}


def stacked(task: Task) -> Values:
    """All points as one computation."""
    import numpy as np

    from trackbed.experiments import stacked_heads
    from trackbed.training import loop

    embedded, labels = _embedded(task.images)
    begun = time.perf_counter()
    heads = [
        stacked_heads.Head(
            model, rate / RATES[0], dropout, rows, held_out, np.ones(len(rows), np.float32)
        )
        for model, rate, dropout, rows, held_out in _points(len(labels))
    ]
    stacked_heads.fit(
        heads,
        embedded,
        loop.one_hot(labels, CLASSES),
        optimizer=_optimizer,
        rate=lambda step: RATES[0],
        loss=_loss(),
        epochs=EPOCHS,
        batch=BATCH,
        seed=0,
    )
    return {WHOLE: time.perf_counter() - begun}


def _embedded(images: int) -> tuple[Any, Any]:
    """Random embeddings that tell the classes a little."""
    import numpy as np

    images -= images % (FOLDS * CLASSES)
    labels = np.arange(images) % CLASSES
    noise = np.random.default_rng(0).normal(size=(images, UNITS))
    return (noise + 0.1 * labels[:, None]).astype(np.float32), labels


def _points(images: int):
    """Head, learning rate, dropout, training and validation rows of every point."""
    import numpy as np

    from trackbed.networks import backbones
    from trackbed.networks.spec import Spec
    from trackbed.pipeline import tensorflow_setup

    fold = np.arange(images) // CLASSES % FOLDS
    for held_out in range(FOLDS):
        rows = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        for rate in RATES:
            for dropout in DROPOUTS:
                tensorflow_setup.make_deterministic(0)
                yield (
                    backbones.head("rails", Spec(32, CLASSES, dropout), UNITS),
                    rate,
                    dropout,
                    *rows,
                )


def _optimizer(rate: Any) -> Any:
    from trackbed.training import optimization

    return optimization.optimizer("adam", rate, weight_decay=0.0, average=0.0)


def _loss() -> Any:
    from trackbed.training import optimization

    return optimization.loss("crossentropy", label_smoothing=0.0, gamma=0.0)


BENCH = Bench(
    title=f"{FOLDS} folds x {len(RATES) * len(DROPOUTS)} heads on embeddings",
    measures=f"Heads 64-32-16 on embeddings of {UNITS} numbers, {EPOCHS} epochs, three learning "
    "rates x three dropouts on every fold; building the heads included, imports left out.",
    times=(WHOLE,),
    contestants={
        "one after the other": Contestant(one_by_one),
        "all at once (`trackbed heads`)": Contestant(stacked),
    },
)
