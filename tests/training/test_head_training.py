"""Heads trained in NumPy end as heads trained by Keras from the same weights."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score

from trackbed.networks.augmentation import Augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import params
from trackbed.pipeline.errors import Diverged
from trackbed.training import batches, dense_heads, head_training, loop, optimization, sampling
from trackbed.training.callbacks import Observed
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import Observer
from trackbed.training.head_training import Embedded, Head, HeadTraining
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"
UNITS, CLASSES, ROWS = 12, 3, 90
LABELS = np.arange(ROWS) % CLASSES
RANDOM = np.random.default_rng(0)
FEATURES = (RANDOM.normal(size=(ROWS, UNITS)) + 0.5 * LABELS[:, None]).astype(np.float32)
PARTS = np.arange(ROWS) // CLASSES % 5 > 0, np.arange(ROWS) // CLASSES % 5 == 0
SIZES = {"rails": (UNITS, 64, 32, 16, CLASSES), "MobileNetV2": (UNITS, CLASSES)}


class Rows(Observer):
    """Keeps the logs of every epoch."""

    def __init__(self):
        self.logs = []

    def on_epoch_end(self, epoch, logs):
        self.logs.append(dict(logs))


def point(**changes):
    p = params.load("train", TrainParams, PARAMS)
    head = {"network": "MobileNetV2", "augment": [], "dropout": 0.0, "batch": 20}
    short = {"epochs": 3, "warmup_epochs": 1, "learning_rate": 0.01, "decay_steps": 7}
    return p.model_copy(update=head | short | changes)


def embedded():
    training, validation = PARTS
    return Embedded(FEATURES[training], LABELS[training], FEATURES[validation], LABELS[validation])


def untrained(p):
    sizes = SIZES[p.network]
    return DenseHeads(np.full((1, dense_heads.parameters(sizes)), np.nan, np.float32), sizes)


def in_numpy(p):
    """Weights, outcome, and logs of every epoch."""
    kept, rows = untrained(p), Rows()
    with head_training.one_thread():
        outcome = head_training.fit(p, kept, embedded(), [rows])
    return [values[0] for layer in kept.layers for values in layer], outcome, rows.logs


def in_keras(p):
    """The same, from the same initial weights."""
    spec, rows = Spec.of(p, CLASSES), Rows()
    sizes = SIZES[p.network]
    *hidden, classes = sizes[1:]
    layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
    top = keras.layers.Dense(classes, activation="softmax")
    model = keras.Sequential([keras.Input((UNITS,)), *layers, top])
    initial = DenseHeads(dense_heads.initial(sizes, p.seed)[None], sizes)
    model.set_weights([values[0] for layer in initial.layers for values in layer])
    given = embedded()
    examples = [
        batches.Examples(given.training, given.training_labels),
        batches.Examples(given.validation, given.validation_labels),
    ]
    outcome = loop.fit(
        model,
        Augmentation(),
        *examples,
        phases=optimization.phases(p, spec, model, sampling.steps(len(given.training), p.batch)),
        loss=optimization.loss_of(p),
        plan=loop.Plan.of(p),
        callbacks=[Observed(rows), *optimization.plateau_callbacks(p)],
    )
    return model.get_weights(), outcome, rows.logs


def compare(p):
    ours, theirs = in_numpy(p), in_keras(p)
    for one, other in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5)
    assert (ours[1].best_epoch, ours[1].epochs) == (theirs[1].best_epoch, theirs[1].epochs)
    assert ours[1].stopped_early == theirs[1].stopped_early
    for one, other in zip(ours[2], theirs[2], strict=True):
        assert one == pytest.approx({name: other[name] for name in one}, rel=1e-4, abs=1e-6)
    for weights, scores in theirs[1].last_epoch.items():
        assert ours[1].last_epoch[weights] == pytest.approx(scores, rel=1e-4)
    assert ours[1].last_epoch.keys() == theirs[1].last_epoch.keys()


SCHEDULES = ["constant", "exponential", "cosine", "plateau"]
EVERY = itertools.product(["adam", "adamw", "sgd"], SCHEDULES, ["crossentropy", "focal"])
QUICK = [("adam", "constant", "focal"), ("sgd", "exponential", "crossentropy")]


@pytest.mark.parametrize(
    ("optimizer", "schedule", "loss"),
    [*QUICK, *(pytest.param(*one, marks=pytest.mark.slow) for one in EVERY if one not in QUICK)],
)
def test_a_head_ends_as_in_keras(optimizer, schedule, loss):
    compare(point(optimizer=optimizer, schedule=schedule, loss=loss, weight_decay=0.5))


SLOW = [
    {"average": 0.0, "clip_norm": 0.05},
    {"label_smoothing": 0.0, "loss": "focal", "focal_gamma": 0.5},
    {"patience": 2, "learning_rate": 0.3, "epochs": 12, "monitor": "val_macro_f1"},
    {"monitor": "accuracy", "schedule": "constant", "warmup_epochs": 0},
    {"warmup_epochs": 0},
    {"warmup_epochs": 9},
    {"batch": 500},
]


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "rails"},
        {"clip_norm": 0.05, "optimizer": "sgd", "learning_rate": 0.5},
        {"class_weights": True, "balanced_sampling": True},
        {"schedule": "plateau", "plateau_patience": 1, "learning_rate": 0.2, "epochs": 12},
        *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW),
    ],
    ids=str,
)
def test_so_does_one_with_other_settings(changes):
    compare(point(**changes))


def test_every_row_of_an_epoch_is_one_of_its_views():
    training, validation = PARTS
    # The views of an image are its embedding and five that say which image and view they are.
    views = np.zeros((training.sum(), 5, UNITS), np.float32)
    views[:, :, 0], views[:, :, 1] = np.arange(training.sum())[:, None], np.arange(5)
    given = Embedded(views, LABELS[training], FEATURES[validation], LABELS[validation])
    rows = np.arange(len(views)), np.arange(validation.sum())
    stack = HeadTraining(point(), SIZES["MobileNetV2"], [Head(0.1, 0.0, *rows)], given)
    images, places, _ = stack._order()
    np.testing.assert_array_equal(stack.rows[places[0]][:, 0], images[0])
    assert sorted(images[0]) == rows[0].tolist()
    assert set(stack.rows[places[0]][:, 1]) == set(range(5))


def test_the_same_seed_gives_the_same_bytes():
    p = point(network="rails", dropout=0.4)
    first, again, other = (in_numpy(one)[0] for one in (p, p, p.model_copy(update={"seed": 1})))
    assert [one.tobytes() for one in first] == [one.tobytes() for one in again]
    assert first[0].tobytes() != other[0].tobytes()


def test_heads_in_a_stack_end_as_each_alone():
    points = [(0.01, 0.0, 0), (0.3, 0.4, 1), (0.002, 0.4, 0)]  # learning rate, dropout, fold
    p, folds = point(network="rails", clip_norm=0.1, schedule="plateau"), np.arange(ROWS) // 3 % 5
    given = Embedded(FEATURES, LABELS, FEATURES, LABELS)
    heads = [
        Head(rate, dropout, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
        for rate, dropout, fold in points
    ]

    def trained(some):
        training = HeadTraining(p, SIZES["rails"], some, given)
        for _ in range(3):
            training.train_epoch()
            logs = training.validate()
        return logs, training.optimizer.averaged.weights

    with head_training.one_thread():
        logs, weights = trained(heads)
        for number, head in enumerate(heads):
            alone, (values,) = trained([head])
            assert alone == [logs[number]]
            np.testing.assert_array_equal(values, weights[number])


def test_a_divergence_keeps_the_weights_of_the_best_epoch_before():
    p, kept, rows = (
        point(optimizer="sgd", epochs=9, schedule="constant"),
        untrained(point()),
        Rows(),
    )

    class Jump(Observer):
        def on_epoch_end(self, epoch, logs):
            if epoch == 2:
                best.append(kept.weights.copy())
                given.training[:] = 1e30

    best, given = [], embedded()
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=r"at epoch 4, .*lower train"):
        head_training.fit(p, kept, given, [rows, Jump()])
    assert len(rows.logs) == 3
    np.testing.assert_array_equal(kept.weights, best[0])


def test_a_divergence_in_the_first_epoch_leaves_no_weights():
    p = point(network="rails", optimizer="sgd", learning_rate=1e30, warmup_epochs=0)
    kept = untrained(p)
    with np.errstate(all="ignore"), pytest.raises(Diverged, match=r"became .* at epoch 1"):
        head_training.fit(p, kept, embedded())
    assert np.isnan(kept.weights).all()


@pytest.mark.parametrize("predicted", [[0, 0, 0, 2, 1, 1, 1, 1], [2] * 8, [0] * 8])
def test_macro_f1_is_that_of_scikit_learn(predicted):
    # Class 2 has no images, and is left out.
    labels, predicted = np.array([0] * 4 + [1] * 4), np.array(predicted)
    expected = f1_score(labels, predicted, average="macro", labels=[0, 1])
    assert head_training.macro_f1(labels, predicted, 3) == pytest.approx(expected)


def test_matrix_products_use_one_thread():
    import threadpoolctl

    with head_training.one_thread():
        pools = threadpoolctl.threadpool_info()
    assert {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"} == {1}
