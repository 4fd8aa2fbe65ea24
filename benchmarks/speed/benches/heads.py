"""Many heads on the same embeddings: one after the other with Keras, or all at once."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

from speed.bench import Bench, Contestant, Task, Values

UNITS, CLASSES, FOLDS, EPOCHS, BATCH = 2048, 5, 5, 10, 32
RATES, DROPOUTS = (1e-2, 1e-3, 1e-4), (0.1, 0.3, 0.5)
WHOLE = "s for all heads"


def one_by_one(task: Task) -> Values:
    """Keras for every point, one after the other."""
    import keras

    from trackbed.training import frozen_network, sampling

    embedded, labels = _embedded(task.images)
    begun = time.perf_counter()
    for rate, dropout, rows, held_out in _points(len(labels)):
        hidden = frozen_network.head_sizes("rails", UNITS, CLASSES)[1:-1]
        layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
        top = keras.layers.Dense(CLASSES, activation="softmax")
        model = keras.Sequential([keras.layers.Dropout(dropout), *layers, top])
        optimizer = keras.optimizers.Adam(rate)
        steps = sampling.steps(len(rows), BATCH)
        model.compile(
            optimizer, "sparse_categorical_crossentropy", ["accuracy"], steps_per_execution=steps
        )
        model.fit(
            embedded[rows],
            labels[rows],
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_data=(embedded[held_out], labels[held_out]),
            verbose=0,
        )
    return {WHOLE: time.perf_counter() - begun}


def stacked(task: Task) -> Values:
    """All points at once."""
    from pathlib import Path

    from trackbed.experiments import stacked_heads
    from trackbed.pipeline import params
    from trackbed.training import frozen_network
    from trackbed.training.head_training import Embedded, Head
    from trackbed.training.train_params import TrainParams

    p = params.load("train", TrainParams, Path(__file__).parents[3] / "params.yaml")
    plain = {"optimizer": "adam", "average": 0.0, "schedule": "constant", "label_smoothing": 0.0}
    length = {"epochs": EPOCHS, "batch": BATCH, "patience": EPOCHS}
    embedded, labels = _embedded(task.images)
    begun = time.perf_counter()
    stacked_heads.best_epochs(
        p.model_copy(update=plain | length),
        frozen_network.head_sizes("rails", UNITS, CLASSES),
        [Head(*point) for point in _points(len(labels))],
        Embedded(embedded, labels, embedded, labels),
    )
    return {WHOLE: time.perf_counter() - begun}


def _embedded(images: int) -> tuple[Any, Any]:
    """Random embeddings that tell the classes a little."""
    import numpy as np

    images -= images % (FOLDS * CLASSES)
    labels = np.arange(images) % CLASSES
    noise = np.random.default_rng(0).normal(size=(images, UNITS))
    return (noise + 0.1 * labels[:, None]).astype(np.float32), labels


def _points(images: int) -> Iterator[tuple[float, float, Any, Any]]:
    """Learning rate, dropout, training and validation rows of every point."""
    import numpy as np

    fold = np.arange(images) // CLASSES % FOLDS
    for held_out in range(FOLDS):
        rows = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        for rate, dropout in itertools.product(RATES, DROPOUTS):
            yield rate, dropout, *rows


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
