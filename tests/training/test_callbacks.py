import keras
import numpy as np
import pytest

from trackbed.pipeline.errors import Diverged
from trackbed.training import batches
from trackbed.training.callbacks import RawWeights, RefuseDivergence, averaging
from trackbed.training.optimization import optimizer


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


def test_raw_and_averaged_weights_of_the_last_epoch_are_compared():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.zeros((1, 1))])
    model.compile(optimizer("sgd", 0.1, weight_decay=0, average=0.9), "mse")
    raw = RawWeights()
    ones = np.ones((4, 1), np.float32)
    callbacks = [raw, *averaging(model.optimizer)]
    model.fit(ones, ones, epochs=2, validation_data=(ones, ones), callbacks=callbacks, verbose=0)
    (kept,) = model.get_weights()
    scores = raw.scores(batches.in_order(ones, ones, batch=4))
    np.testing.assert_array_equal(model.get_weights()[0], kept)
    assert scores["averaged"]["val_loss"] == pytest.approx((1 - kept.item()) ** 2, rel=1e-5)
    assert scores["raw"]["val_loss"] == pytest.approx((1 - raw.weights[0].item()) ** 2, rel=1e-5)
    # The raw weight moved towards 1 faster than its average.
    assert 0 < kept.item() < raw.weights[0].item()


def test_without_an_average_there_is_nothing_to_compare():
    assert RawWeights().scores([]) == {}
