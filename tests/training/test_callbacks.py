import keras
import numpy as np
import pytest

from trackbed.pipeline.errors import Diverged
from trackbed.training.callbacks import RefuseDivergence


def watched():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")])
    callback = RefuseDivergence()
    callback.set_model(model)
    callback.on_epoch_begin(4)
    return model, callback


def test_finite_values_and_weights_pass():
    _, callback = watched()
    callback.on_train_batch_end(0, {"loss": 1.5})
    callback.on_epoch_end(4, {"loss": 1.5, "val_loss": 2.0, "val_macro_f1": 0.0})


def test_a_divergence_names_epoch_and_batch():
    _, callback = watched()
    words = r"^loss became nan at epoch 5, batch 3; lower train\.learning_rate\.$"
    with pytest.raises(Diverged, match=words):
        callback.on_train_batch_end(2, {"loss": float("nan")})


@pytest.mark.parametrize("name", ["val_loss", "val_macro_f1", "accuracy"])
def test_every_logged_value_counts(name):
    _, callback = watched()
    with pytest.raises(Diverged, match=f"^{name} became inf at epoch 5, "):
        callback.on_epoch_end(4, {"loss": 0.5} | {name: float("inf")})


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_found(broken):
    model, callback = watched()
    kernel, bias = model.get_weights()
    kernel[2, 1] = broken
    model.set_weights([kernel, bias])
    with pytest.raises(Diverged, match=r"last/kernel became (nan|inf) at epoch 5, its end"):
        callback.on_epoch_end(4, {"loss": 0.5, "val_loss": 0.5})
