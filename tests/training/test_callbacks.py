import keras
import numpy as np
import pytest

from trackbed.pipeline.errors import Diverged
from trackbed.training import batches
from trackbed.training.callbacks import (
    Best,
    Observed,
    Plateau,
    RawWeights,
    RefuseDivergence,
    averaging,
)
from trackbed.training.early_stopping import Observer
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


@pytest.mark.parametrize(("earliest", "last"), [(0, 3), (2, 3), (5, 6), (6, 7)])
def test_early_epochs_do_not_count_as_without_improvement(earliest, last):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    best = Best("val_loss", patience=2, earliest=earliest)
    best.set_model(model)
    best.on_train_begin()
    model.stop_training = False
    epoch = -1
    while not model.stop_training:
        epoch += 1
        # The best epoch is the second.
        best.on_epoch_end(epoch, {"val_loss": 0.5 if epoch == 1 else 1.0})
    assert epoch == last
    assert best.best_epoch == 1


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


NAN, INF = float("nan"), float("inf")


def monitored(callback, values):
    """The callback after epochs of these values; the bias of a layer is the number of the epoch."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")])
    model.compile(keras.optimizers.SGD(1.0))
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.layers[0].bias.assign([epoch, epoch])
        callback.on_epoch_end(epoch, {"loss": 0.5, callback.monitor: value})
        if model.stop_training:
            break
    return callback


@pytest.mark.parametrize("first", [[NAN], [INF], [-INF], [NAN, NAN]])
@pytest.mark.parametrize("name", ["val_loss", "val_accuracy", "val_macro_f1", "macro_f1"])
def test_a_value_that_is_no_number_is_never_the_best(name, first):
    later = [0.9, 0.3, 0.7] if name.endswith("loss") else [0.1, 0.7, 0.3]
    best = monitored(Best(name, patience=9), [*first, *later])
    assert (best.best, best.best_epoch) == (later[1], len(first) + 1)
    best.on_train_end()
    assert best.model.layers[0].bias[0] == len(first) + 1


def test_no_number_at_all_is_a_divergence():
    best = monitored(Best("val_loss", patience=9), [NAN, NAN])
    with pytest.raises(Diverged, match=r"^val_loss was no finite number in any epoch; lower"):
        best.on_train_end()


def test_early_stopping_counts_epochs_without_a_number():
    best = monitored(Best("val_macro_f1", patience=2), [0.5, NAN, NAN, 0.9])
    assert (best.epochs, best.best_epoch, best.model.stop_training) == (3, 0, True)


@pytest.mark.parametrize(
    ("name", "values", "rate"),
    [
        ("val_loss", [NAN, 0.9, 0.8, 0.7, 0.6], 1.0),
        ("val_accuracy", [NAN, 0.1, 0.2, 0.3, 0.4], 1.0),
        ("val_loss", [0.9, NAN, NAN], 0.5),
        ("val_loss", [NAN, NAN, NAN], 0.5),
    ],
)
def test_the_learning_rate_falls_without_improvement_only(name, values, rate):
    plateau = monitored(Plateau(name, factor=0.5, patience=2), values)
    assert float(plateau.model.optimizer.learning_rate) == rate


class Remembers(Observer):
    remembered = ("count", "values")

    def __init__(self):
        self.count, self.values, self.goes_on = 0, [], False

    def resumed(self):
        self.goes_on = True


def test_the_memory_of_an_observer_is_that_of_its_callback():
    observer, later = Remembers(), Remembers()
    observer.count, observer.values = 2, [0.5, 0.25]
    Observed(later).memory = Observed(observer).memory
    Observed(later).resumed()
    assert (later.count, later.values, later.goes_on) == (2, [0.5, 0.25], True)
