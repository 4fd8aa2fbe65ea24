import numpy as np
import pytest

from trackbed.learning import networks, optimizers, training
from trackbed.problems import Problem

RUN = {"epochs": 6, "batch": 16, "patience": 6, "seed": 0, "callbacks": []}
RUN |= {"label_smoothing": 0.0}


def adam(rate, average=0.0):
    return optimizers.optimizer("adam", rate, weight_decay=0, average=average)


def coloured(images, seed):
    """Noise in which class 0 is reddish and class 1 is bluish."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    pixels = random.integers(0, 160, (images, 16, 16, 3), dtype=np.uint8)
    pixels[labels == 0, ..., 0] += 90
    pixels[labels == 1, ..., 2] += 90
    return training.Examples(pixels, labels)


def fitted(learning_rate=0.003, seed=0, **changes):
    training.reproducible(seed)
    network = networks.build("small_cnn", side=16, classes=2, dropout=0.1)
    outcome = training.fit(
        network,
        [],
        coloured(96, 1),
        coloured(32, 2),
        optimizer=adam(learning_rate),
        **(RUN | changes),
    )
    return network, outcome


def loss(network, examples):
    probabilities = network.predict(examples.images, verbose=0)
    return -np.log(probabilities[np.arange(len(examples.labels)), examples.labels]).mean()


def test_a_network_learns_what_two_classes_differ_in():
    network, _ = fitted()
    unseen = coloured(50, 3)
    assert (network.predict(unseen.images, verbose=0).argmax(1) == unseen.labels).mean() > 0.95


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again, other = (fitted(seed=seed, epochs=2)[0].get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_weights_of_the_best_epoch_are_kept_and_training_stops_in_time():
    import keras

    seen = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    # A learning rate this high makes the validation loss jump about.
    network, outcome = fitted(0.1, epochs=12, patience=3, callbacks=[Keep()])
    assert outcome.best_epoch == 1 + int(np.argmin(seen))
    assert loss(network, coloured(32, 2)) == pytest.approx(min(seen), rel=1e-3)
    assert outcome.epochs == len(seen)
    assert outcome.stopped_early == (len(seen) == outcome.best_epoch + 3)


def test_divergence_ends_with_the_epoch_the_batch_and_the_learning_rate():
    with pytest.raises(Problem, match=r"nan at epoch 1, .*; lower train\.learning_rate"):
        fitted(1e30)


def test_the_averaged_weights_are_the_ones_that_are_validated_and_kept():
    import keras

    training.reproducible(0)
    network = networks.build("small_cnn", side=16, classes=2, dropout=0.1)
    averaged = adam(0.01, average=0.9)
    outcome = training.fit(
        network, [], coloured(96, 1), coloured(32, 2), optimizer=averaged, **(RUN | {"epochs": 1})
    )
    assert outcome.best_epoch == 1
    kernels = [w for w in network.trainable_weights if w.name == "kernel"]
    averages = {w.path: w for w in averaged._model_variables_moving_average}
    assert averages
    found = keras.ops.convert_to_numpy(kernels[0])
    assert any(
        found.shape == w.shape and np.allclose(found, w.numpy(), atol=1e-6)
        for w in averages.values()
    )


def test_the_augmentation_is_no_part_of_the_network():
    import keras

    network = networks.build("small_cnn", side=16, classes=2, dropout=0.1)
    before = [layer.name for layer in network.layers]
    training.fit(
        network,
        [keras.layers.RandomFlip("horizontal", seed=1)],
        coloured(32, 1),
        coloured(16, 2),
        optimizer=adam(1e-3),
        **(RUN | {"epochs": 1}),
    )
    assert [layer.name for layer in network.layers] == before
