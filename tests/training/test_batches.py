"""Training the head on embeddings is training the network on its images."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from recorded import random_pictures

from trackbed.dataset import recording
from trackbed.embedding import engines
from trackbed.networks import augmentation, embeddings, registry
from trackbed.networks.augmentation import Augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.records import embedding_store, reader
from trackbed.training import batches, loop, optimization, sampling

ROWS = np.arange(10, dtype=np.uint8)
LABELS = np.eye(10, dtype=np.float32)
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
SHIFT = augmentation.Translation(name="translation", factor=0.3)


def epochs(seed, count=2):
    found = batches.shuffled(ROWS, LABELS, batch=4, seed=seed).as_numpy_iterator()
    return [
        [rows.tolist() for rows, _ in itertools.islice(found, batches.steps(10, 4))]
        for _ in range(count)
    ]


def test_every_epoch_holds_every_row_once_in_an_order_of_its_own():
    first, second = epochs(seed=3)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == list(range(10))
    assert first != second


def test_the_seed_decides_the_order():
    assert epochs(seed=3) == epochs(seed=3)
    assert epochs(seed=3) != epochs(seed=4)


def test_rows_and_labels_stay_together():
    found = batches.shuffled(ROWS, LABELS, batch=4, seed=0).take(6).as_numpy_iterator()
    for rows, labels in found:
        np.testing.assert_array_equal(labels.argmax(axis=1), rows)


def shifted_epochs(seed, first_epoch=0):
    """Two epochs from `first_epoch` on, shifted at random: each epoch as row -> image."""
    found = batches.shuffled(
        PIXELS,
        ROWS,
        batch=4,
        seed=seed,
        first_epoch=first_epoch,
        geometry=augmentation.geometry([SHIFT], seed),
    ).as_numpy_iterator()
    epochs = [list(itertools.islice(found, 3)) for _ in range(2)]
    return [
        {row: image for batch in epoch for image, row in zip(*batch, strict=True)}
        for epoch in epochs
    ]


def equal(first, second):
    return all(np.array_equal(first[row], second[row]) for row in ROWS)


def test_images_are_shifted_anew_in_every_epoch():
    first, second = shifted_epochs(seed=3)
    for epoch in (first, second):
        for row, image in epoch.items():
            colours = {tuple(pixel) for pixel in PIXELS[row].reshape(-1, 3)}
            assert {tuple(pixel) for pixel in image.reshape(-1, 3)} <= colours
    assert not equal(first, second)
    assert not equal(first, dict(enumerate(PIXELS)))


def test_seed_and_epoch_alone_decide_the_shifts():
    first, second = shifted_epochs(seed=3)
    assert equal(first, shifted_epochs(seed=3)[0])
    assert not equal(first, shifted_epochs(seed=4)[0])
    assert equal(second, shifted_epochs(seed=3, first_epoch=1)[0])


def test_in_order_gives_every_row_once():
    dataset = batches.in_order(ROWS, batch=4)
    assert [rows.tolist() for (rows,) in dataset.as_numpy_iterator()] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert dataset.cardinality() == 3


def test_rows_are_sampled_by_their_share():
    share = np.array([0.5] + [0.5 / 9] * 9)
    found = batches.shuffled(ROWS, batch=10, seed=0, share=share).take(300).as_numpy_iterator()
    rows = np.concatenate([batch for (batch,) in found])
    assert len(rows) == 3000
    assert np.mean(rows == 0) == np.clip(np.mean(rows == 0), 0.47, 0.53)


def test_a_later_start_has_the_order_of_that_epoch():
    late = batches.shuffled(ROWS, batch=4, seed=3, first_epoch=1).take(3).as_numpy_iterator()
    assert [rows.tolist() for (rows,) in late] == epochs(seed=3)[1]


def test_every_epoch_holds_one_view_of_every_row():
    views = 100 * np.arange(10)[:, None] + np.arange(5)  # row 3, view 2 is 302
    found = batches.shuffled(views, LABELS, batch=4, seed=0, views=True).as_numpy_iterator()
    epochs = [np.concatenate([next(found)[0] for _ in range(3)]) for _ in range(20)]
    assert all(sorted(epoch // 100) == list(range(10)) for epoch in epochs)
    seen = np.concatenate(epochs)
    assert set(seen % 100) == {0, 1, 2, 3, 4}
    assert all(len(set(seen[seen // 100 == row])) > 1 for row in range(10))


@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("share", [None, np.arange(10) / 45])
def test_resident_arrays_give_the_same_batches(views, share):
    first = np.arange(40).reshape(10, 4) if views else ROWS
    options = {"batch": 4, "seed": 2, "first_epoch": 3, "share": share, "views": views}
    results = [
        batches.shuffled(first, LABELS, **options, resident=resident).take(7)
        for resident in (False, True)
    ]
    for one, other in zip(*results, strict=True):
        for expected, found in zip(one, other, strict=True):
            np.testing.assert_array_equal(found, expected)


SIDE, TRAINED = 32, 40
random = np.random.default_rng(0)
LABELS_OF_EXAMPLES = np.arange(56) % 2
IMAGES = random.integers(0, 120, (56, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES[LABELS_OF_EXAMPLES == 1, ::2] += 100
TABLE = pd.DataFrame({"record": range(56), "label": LABELS_OF_EXAMPLES, "part": "train"})


def network():
    tensorflow_setup.make_deterministic(0)
    return registry.build("rails", Spec(SIDE, 2, 0.3))


class Curve(loop.keras.callbacks.Callback):
    """Keeps the losses of every epoch."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append((logs["loss"], logs["val_loss"]))


def curve(model, learned):
    kept = Curve()
    optimizer = optimization.optimizer("adamw", 0.01, weight_decay=0.01, average=0.9)
    loop.fit(
        model,
        Augmentation(),
        *learned,
        phases=[optimization.Phase(4, optimizer)],
        loss=optimization.loss("crossentropy", label_smoothing=0.1, gamma=0),
        plan=loop.Plan(batch=16, patience=4, seed=0),
        callbacks=[kept],
    )
    return kept.losses


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embeddings")
    backbone = embeddings.backbone(network())
    forward = engines.forward(backbone, *embedding_store.EXACT, IMAGES[:0])
    embedding_store.write(
        folder / embedding_store.STORED_FILE, IMAGES, np.arange(56), [forward], 16
    )
    embedding_store.write_about(
        folder, frozen=True, backbone=embeddings.weights_digest(backbone), views=0
    )
    return embedding_store.read(folder)


def test_training_on_embeddings_equals_training_on_images(stored):
    on_images = network()
    expected = curve(
        on_images,
        [
            batches.Examples(IMAGES[part], LABELS_OF_EXAMPLES[part])
            for part in (slice(TRAINED), slice(TRAINED, None))
        ],
    )
    whole = network()
    rows = TABLE[:TRAINED], TABLE[TRAINED:]
    learned = batches.of_embeddings(stored, whole, TABLE, *rows)
    found = curve(embeddings.head(whole), learned)
    assert expected[0][0] > expected[-1][0] + 0.1  # something was learned
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    answers = [model.predict(IMAGES, verbose=0) for model in (whole, on_images)]
    np.testing.assert_allclose(*answers, atol=1e-3)


def test_embeddings_of_another_backbone_are_refused(stored):
    other = registry.build("rails", Spec(SIDE, 2, 0.3, unfreeze="all"))
    with pytest.raises(UserError, match="a backbone with other weights"):
        batches.of_embeddings(stored, other, TABLE, TABLE[:TRAINED], TABLE[TRAINED:])


def test_a_damaged_picture_is_named_where_its_batch_is_due(tmp_path):
    """Not as an error of TensorFlow, which takes the images."""
    entries, pictures, _ = random_pictures(9)
    pictures[7] = replace(pictures[7], data=b"no picture at all")
    table = recording.write(tmp_path, zip(entries, pictures, strict=True), ["A", "B"], 10**6)
    order, _ = sampling.epoch_rows(9, seed=0, epoch=0)
    with (
        pytest.raises(Damaged, match=r"part-00000\.tfrecord, record 7 \(B/07\.png\)"),
        reader.Reading(tmp_path, table, 8, 8, order) as reading,
    ):
        training, _ = batches.of_images(reading, table[:8], table[8:])
        list(batches.shuffled(training.images, training.labels, batch=2, seed=0).take(4))
