"""Heads trained together end as those trained alone, to the last digit."""

from pathlib import Path

import numpy as np
import pytest

from trackbed.experiments import stacked_heads
from trackbed.pipeline import params
from trackbed.pipeline.errors import Diverged
from trackbed.training import dense_heads, head_training
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import Observer
from trackbed.training.head_training import Embedded, Head
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"
UNITS, ROWS = 24, 105
SIZES = (UNITS, 8, 4, 3)
LABELS = np.arange(ROWS) % 3
FEATURES = np.random.default_rng(0).normal(size=(ROWS, UNITS)) + 0.4 * LABELS[:, None]
FEATURES = FEATURES.astype(np.float32)
FOLDS = np.arange(ROWS) // 3 % 5
# Learning rate, dropout, fold.
POINTS = [(0.01, 0.0, 0), (0.1, 0.4, 0), (0.002, 0.4, 1), (1e30, 0.1, 2), (0.3, 0.1, 3)]


def point(**changes):
    p = params.load("train", TrainParams, PARAMS)
    short = {"epochs": 6, "patience": 2, "warmup_epochs": 0, "batch": 32}
    return p.model_copy(update=short | changes)


class Scores(Observer):
    def __init__(self):
        self.rows = []

    def on_epoch_end(self, epoch, logs):
        self.rows.append([logs[name] for name in stacked_heads.SCORES])


def alone(p, rate, dropout, fold, features=FEATURES):
    """Best epoch and scores of one head, trained as the train stage does."""
    parts, scores = (fold != FOLDS, fold == FOLDS), Scores()
    given = Embedded(features[parts[0]], LABELS[parts[0]], FEATURES[parts[1]], LABELS[parts[1]])
    kept = DenseHeads(np.zeros((1, dense_heads.parameters(SIZES)), np.float32), SIZES)
    own = p.model_copy(update={"learning_rate": rate, "dropout": dropout})
    try:
        with head_training.one_thread():
            outcome = head_training.fit(own, kept, given, [scores])
    except Diverged:
        return [np.nan] * 4
    return [outcome.best_epoch, *scores.rows[outcome.best_epoch - 1]]


def together(p, features=FEATURES):
    heads = [
        Head(rate, dropout, np.flatnonzero(fold != FOLDS), np.flatnonzero(fold == FOLDS))
        for rate, dropout, fold in POINTS
    ]
    found = stacked_heads.best_epochs(p, SIZES, heads, Embedded(features, LABELS, FEATURES, LABELS))
    return [list(one.values()) for one in found]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "average": 0.0, "monitor": "val_macro_f1"},
        {"class_weights": True, "balanced_sampling": True, "loss": "focal"},
        {"schedule": "plateau", "plateau_patience": 1, "clip_norm": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("at_once", [1, 2**19])
def test_every_head_has_the_best_epoch_that_it_has_alone(changes, at_once, monkeypatch):
    monkeypatch.setattr(stacked_heads, "AT_ONCE", at_once)
    p = point(**changes)
    np.testing.assert_array_equal(together(p), [alone(p, *one) for one in POINTS])


def test_a_head_that_diverges_has_no_scores():
    found = together(point(optimizer="sgd"))
    assert np.isnan(found[3]).all()
    assert np.isfinite([row for number, row in enumerate(found) if number != 3]).all()


def test_so_do_heads_on_views():
    views = np.stack([FEATURES, FEATURES[:, ::-1]], axis=1)
    p = point()
    expected = [alone(p, *one, features=views) for one in POINTS]
    np.testing.assert_array_equal(together(p, views), expected)
