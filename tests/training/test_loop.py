import numpy as np
import pytest
from coloured import coloured_noise
from pydantic import TypeAdapter
from sklearn.metrics import f1_score

from trackbed.evaluation import metrics
from trackbed.networks import augmentation, registry
from trackbed.networks.augmentation import Augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import Diverged, UserError
from trackbed.training import checkpoint, loop, optimization

NONE = Augmentation()


def adam(rate, average=0.0):
    return optimization.optimizer("adam", rate, weight_decay=0, average=average)


def run(network, optimizer, epochs=6, callbacks=(), augmentation=NONE, phases=None, **plan):
    """Train on 96 pictures and validate on 32 others."""
    return loop.fit(
        network,
        augmentation,
        coloured_noise(96, 1),
        coloured_noise(32, 2),
        phases=phases or [optimization.Phase(epochs, optimizer)],
        loss=optimization.loss("crossentropy", label_smoothing=0, gamma=0),
        plan=loop.Plan(**{"batch": 16, "patience": 6, "seed": 0} | plan),
        callbacks=callbacks,
    )


def fitted(learning_rate=0.003, seed=0, **changes):
    tensorflow_setup.make_deterministic(seed)
    network = registry.build("small_cnn", Spec(16, 2, 0.1))
    return network, run(network, adam(learning_rate), **changes)


def loss(network, examples):
    probabilities = network.predict(examples.images, verbose=0)
    return -np.log(probabilities[np.arange(len(examples.labels)), examples.labels]).mean()


def test_a_network_learns_two_classes():
    network, _ = fitted()
    unseen = coloured_noise(50, 3)
    assert (network.predict(unseen.images, verbose=0).argmax(1) == unseen.labels).mean() > 0.95


@pytest.mark.parametrize("parts", [1, 2])
def test_the_seed_decides_the_weights(parts):
    runs = (fitted(seed=seed, epochs=2, ghost_batches=parts)[0] for seed in (0, 0, 1))
    first, again, other = (network.get_weights() for network in runs)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_early_stopping_keeps_the_weights_of_the_best_epoch():
    import keras

    seen = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    # A learning rate this high makes the validation loss jump about.
    network, outcome = fitted(0.1, epochs=12, patience=3, callbacks=[Keep()])
    assert outcome.best_epoch == 1 + int(np.argmin(seen))
    assert loss(network, coloured_noise(32, 2)) == pytest.approx(min(seen), rel=1e-3)
    assert outcome.epochs == len(seen)
    assert outcome.stopped_early == (len(seen) == outcome.best_epoch + 3)


@pytest.mark.slow
def test_every_change_works_on_small_images():
    changes = TypeAdapter(augmentation.Changes).validate_python(
        [
            {"name": "rotation", "degrees": 10},
            {"name": "perspective", "scale": 0.2},
            {"name": "erasing", "factor": 1, "area": 0.3},
            {"name": "rand_augment", "count": 2, "factor": 0.5},
            {"name": "hue", "factor": 0.2},
            {"name": "saturation", "low": 0.3, "high": 0.6},
            {"name": "cutmix"},
            {"name": "mixup", "alpha": 0.2},
        ]
    )
    network = registry.build("small_cnn", Spec(32, 2, 0.1, width=0.25))
    outcome = loop.fit(
        network,
        augmentation.build(changes, 0),
        coloured_noise(48, 1, side=32),
        coloured_noise(16, 2, side=32),
        phases=[optimization.Phase(4, adam(0.003))],
        loss=optimization.loss("crossentropy", label_smoothing=0, gamma=0),
        plan=loop.Plan(batch=16, patience=4, seed=0, initial_scale=0.5),
    )
    assert outcome.epochs == 4
    assert network.input_shape == (None, 32, 32, 3)


def test_a_divergence_names_epoch_batch_and_learning_rate():
    with pytest.raises(UserError, match=r"nan at epoch 1, .*; lower train\.learning_rate"):
        fitted(1e30)


def test_divergence_leaves_the_weights_of_the_best_epoch_before():
    import keras

    class Jump(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            reached.append((logs["val_loss"], self.model.get_weights()))
            if epoch == 2:
                self.model.optimizer.learning_rate = 1e30

    reached = []
    tensorflow_setup.make_deterministic(0)
    network = registry.build("small_cnn", Spec(16, 2, 0.1))
    with pytest.raises(Diverged, match="at epoch 4"):
        run(network, adam(0.003), callbacks=[Jump()])
    best = min(reached, key=lambda pair: pair[0])[1]
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), best, strict=True))


def test_averaged_weights_are_validated_and_kept():
    import keras

    tensorflow_setup.make_deterministic(0)
    network = registry.build("small_cnn", Spec(16, 2, 0.1))
    averaged = adam(0.01, average=0.9)
    seen = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    raw = []

    class Raw(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raw[:] = [network.trainable_weights[0].numpy()]

    run(network, averaged, epochs=3, callbacks=[Keep(), Raw()])
    assert not np.allclose(network.trainable_weights[0].numpy(), raw[0])
    assert loss(network, coloured_noise(32, 2)) == pytest.approx(min(seen), rel=1e-2, abs=1e-5)


def test_another_monitored_value_decides_on_the_best_epoch():
    import keras

    seen = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_accuracy"])

    _, outcome = fitted(0.05, epochs=5, monitor="val_accuracy", callbacks=[Keep()])
    assert outcome.best_epoch == 1 + int(np.argmax(seen))


def test_two_phases_share_epoch_count_and_best_weights():
    import keras

    seen, prepared = [], []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    tensorflow_setup.make_deterministic(0)
    network = registry.build("small_cnn", Spec(16, 2, 0.1))
    phases = [
        optimization.Phase(3, adam(0.003), lambda: prepared.append("head")),
        # a rate that spoils what was learnt
        optimization.Phase(2, adam(3.0), lambda: prepared.append("fine")),
    ]
    outcome = run(network, None, phases=phases, callbacks=[Keep()])
    assert prepared == ["head", "fine"]
    assert outcome.epochs == len(seen) == 5
    assert outcome.best_epoch == 1 + int(np.argmin(seen))
    assert loss(network, coloured_noise(32, 2)) == pytest.approx(min(seen), rel=1e-2, abs=1e-5)


def test_the_augmentation_is_no_part_of_the_network():
    import keras

    network = registry.build("small_cnn", Spec(16, 2, 0.1))
    before = [layer.name for layer in network.layers]
    run(network, adam(1e-3), epochs=1, augmentation=Augmentation([keras.layers.RandomFlip(seed=1)]))
    assert [layer.name for layer in network.layers] == before


@pytest.mark.parametrize("predicted", [[0, 0, 0, 2, 1, 1, 1, 1], [2] * 8, [0] * 8])
def test_macro_f1_of_the_epoch_log_is_that_of_evaluate(predicted):
    # Class 2 has no images. scikit-learn gives the same for the classes that have some.
    labels, predicted = np.array([0] * 4 + [1] * 4), np.array(predicted)
    metric = loop.MacroF1()
    for part in (slice(0, 5), slice(5, 8)):
        metric.update_state(loop.one_hot(labels[part], 3), loop.one_hot(predicted[part], 3))
    expected = f1_score(labels, predicted, average="macro", labels=[0, 1])
    assert float(metric.result()) == pytest.approx(expected)
    assert metrics.macro_f1(labels, predicted, 3) == pytest.approx(expected)


def test_the_first_of_equal_probabilities_counts_in_macro_f1():
    metric = loop.MacroF1()
    metric.update_state(np.eye(2, dtype=np.float32), np.full((2, 2), 0.5, np.float32))
    assert float(metric.result()) == pytest.approx((2 / 3 + 0) / 2)


def test_mixed_precision_gives_a_float32_model_that_learns():
    try:
        tensorflow_setup.make_deterministic(0, "mixed_bfloat16")
        network = registry.build("small_cnn", Spec(16, 2, 0.1))
        run(network, adam(0.003))
    finally:
        tensorflow_setup.make_deterministic(0)
    answers = network.predict(coloured_noise(50, 3).images, verbose=0)
    assert answers.dtype == np.float32
    assert (answers.argmax(1) == coloured_noise(50, 3).labels).mean() > 0.9


def test_the_network_for_any_side_has_the_same_weights_and_answers(tmp_path):
    network = registry.build("small_cnn", Spec(32, 3, width=0.5))
    (tmp_path / "before").mkdir()
    checkpoint.save(tmp_path / "before", network, ["a", "b", "c"])
    other = loop.for_any_side(network)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(other(images), network(images))
    assert other(images[:, :20, :20]).shape == (2, 3)
    assert all(a is b for a, b in zip(other.weights, network.weights, strict=True))
    # The copy leaves no trace in what is saved.
    (tmp_path / "after").mkdir()
    checkpoint.save(tmp_path / "after", network, ["a", "b", "c"])
    file = checkpoint.MODEL_FILE
    assert (tmp_path / "before" / file).read_bytes() == (tmp_path / "after" / file).read_bytes()
