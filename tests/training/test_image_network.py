"""A network trained on stored pictures, with an observer and a state on the disk."""

from pathlib import Path

import keras
import numpy as np
import recorded

from trackbed.pipeline import params
from trackbed.training import checkpoint, image_network, resume
from trackbed.training.early_stopping import Observer
from trackbed.training.train_params import TrainParams

PARAMS = Path(__file__).parents[2] / "params.yaml"
SMALL = {"image_side": 16, "width": 0.25, "epochs": 2, "batch": 4, "augment": []}


class Rates(Observer):
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, epoch, logs):
        self.seen.append((epoch, logs["learning_rate"]))


def test_a_network_learns_from_records_and_is_saved(tmp_path):
    table, _ = recorded.written(tmp_path, count=12)
    changes = {"schedule": "exponential", "decay_rate": 0.5, "decay_steps": 2}
    p = params.load("train", TrainParams, PARAMS).model_copy(update=SMALL | changes)
    rates, store = Rates(), resume.Store(tmp_path / "state", "key", interval=0)
    network = image_network.ImageNetwork(p, tmp_path, (table[:8], table[8:]), 2, store)
    outcome = network.fit([rates])
    assert outcome.epochs == 2
    # Two steps an epoch: the rate is halved in each.
    np.testing.assert_allclose([rate for _, rate in rates.seen], [0.002, 0.001], rtol=1e-6)
    network.save(tmp_path)
    loaded = keras.models.load_model(tmp_path / checkpoint.MODEL_FILE)
    assert (network.name, network.parameters) == ("small_cnn", loaded.count_params())
    pairs = zip(network.weights(), loaded.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert network.probabilities().shape == (4, 2)
    # The state stays until the results are written.
    assert store.read().epochs == 1
