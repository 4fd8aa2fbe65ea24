"""The scores of heads trained together are those of the train stage for each head alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trackbed.experiments import head_search
from trackbed.pipeline import index, params
from trackbed.pipeline.errors import Diverged, UserError
from trackbed.records import embedding_store
from trackbed.training import dense_heads, frozen_network, head_training
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import Observer
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"
LABELS, RANDOM = np.arange(60) % 2, np.random.default_rng(0)
VALUES = RANDOM.normal(size=(60, 8)) + 0.7 * LABELS[:, None]
TABLE = pd.DataFrame(
    {
        **{"record": range(60), "label": LABELS, "class_name": np.where(LABELS, "B", "A")},
        **{"part": "train", "fold": np.arange(60) // 2 % 3},
    }
)


def point(**changes):
    p = params.load("train", TrainParams, PARAMS)
    rails = {"network": "rails", "augment": [], "epochs": 5, "warmup_epochs": 1, "batch": 8}
    return p.model_copy(update=rails | changes)


@pytest.fixture
def stored(tmp_path):
    np.save(tmp_path / embedding_store.STORED_FILE, VALUES[None].astype(np.float32))
    of = {"network": "rails", "weights": "none", "augment": "[]"}
    embedding_store.write_about(tmp_path, frozen=True, backbone="", of=of, exact=True, views=0)
    return embedding_store.read(tmp_path)


class Log(Observer):
    """Keeps the logged values of every epoch."""

    def __init__(self):
        self.rows = []

    def on_epoch_end(self, epoch, logs):
        self.rows.append(dict(logs))


def alone(p, stored, table=TABLE):
    """Best epoch and validation scores of one head, trained as the train stage does."""
    rows = index.training_and_validation(table, p.fold)
    embedded, log = frozen_network.embedded(stored, table, *rows), Log()
    sizes = frozen_network.head_sizes(p.network, VALUES.shape[1], table["label"].nunique())
    kept = DenseHeads(np.zeros((1, dense_heads.parameters(sizes)), np.float32), sizes)
    with head_training.one_thread():
        outcome = head_training.fit(p, kept, embedded, [log])
    best = log.rows[outcome.best_epoch - 1]
    return [outcome.best_epoch, best["val_loss"], best["val_accuracy"], best["val_macro_f1"]]


def test_scores_are_those_of_training_each_head_alone(stored):
    points = [
        point(fold=0),
        point(fold=2, learning_rate=0.02, dropout=0.1),
        point(fold=1, optimizer="sgd", schedule="plateau", monitor="val_macro_f1"),
        point(fold=1, clip_norm=0.1),
    ]
    found = head_search.validation_scores(points, stored, TABLE)
    assert list(found.columns) == ["best_epoch", "val_loss", "val_accuracy", "val_macro_f1"]
    np.testing.assert_array_equal(found, [alone(p, stored) for p in points])


def test_settings_of_other_embeddings_are_an_error(stored):
    head_search.refuse(point(), stored)
    with pytest.raises(UserError, match=r"train\.weights: .* of none, not imagenet"):
        head_search.refuse(point(weights="imagenet"), stored)


@pytest.mark.parametrize("monitor", ["val_loss", "val_macro_f1"])
def test_a_head_that_diverges_has_no_scores(stored, monitor):
    points = [
        point(optimizer="sgd", learning_rate=1e30, monitor=monitor),
        point(optimizer="sgd", monitor=monitor),
    ]
    with pytest.raises(Diverged):
        alone(points[0], stored)
    found = head_search.validation_scores(points, stored, TABLE)
    assert found.loc[0].isna().all()
    assert found.loc[1].notna().all()


def test_a_class_without_validation_images_is_left_out_of_macro_f1(stored):
    # All pictures of class C are in fold 2; validated on fold 0, many are taken for C.
    table = TABLE.copy()
    table.loc[table["fold"] == 2, ["label", "class_name"]] = 2, "C"
    p = point(fold=0)
    (found,) = head_search.validation_scores([p], stored, table).to_numpy()
    np.testing.assert_array_equal(found, alone(p, stored, table))
