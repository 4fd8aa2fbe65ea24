"""Batches of images and labels."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from recorded import random_pictures

from trackbed.dataset import recording
from trackbed.networks import augmentation
from trackbed.pipeline.errors import Damaged
from trackbed.records import reader
from trackbed.training import batches, sampling

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


def test_the_images_of_an_epoch_have_its_side():
    found = batches.shuffled(
        PIXELS, ROWS, batch=5, seed=0, first_epoch=1, sides=lambda epoch: 2 + 2 * epoch
    ).as_numpy_iterator()
    assert [images.shape for images, _ in itertools.islice(found, 6)] == [
        (5, side, side, 3) for side in (4, 4, 6, 6, 8, 8)
    ]


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


def sides(side, scale, epochs):
    of = batches.progressive_sides(side, scale, epochs)
    return [of(epoch) for epoch in range(epochs)]


def test_sides_are_small_then_grow_then_full():
    # 6 of 20 epochs, then 40 / 6 pixels more an epoch, in multiples of 4, then 8 of 20 epochs.
    assert sides(80, 0.5, 20) == [40] * 7 + [48, 52, 60, 68, 72] + [80] * 8


def test_a_scale_of_one_is_always_full():
    assert sides(80, 1.0, 5) == [80] * 5


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("scale", [0.01, 0.3, 0.5, 0.99])
@pytest.mark.parametrize("side", [8, 15, 40, 127, 224])
def test_sides_grow_and_end_with_the_full_one(side, scale, epochs):
    found = sides(side, scale, epochs)
    assert found == sorted(found)
    assert found[-1] == side
    assert found[0] >= min(side, 16)
    first = batches.first_full_epoch(scale, epochs)
    assert set(found[first:]) == {side}


def test_shrunk_pixels_are_the_mean_of_those_they_cover():
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    means = images.reshape(3, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    assert np.abs(batches.resized(images, 4) - means).max() <= 0.5


@pytest.mark.parametrize("side", [12, 20, 28])
def test_pixels_that_are_covered_in_part_count_by_their_share(side):
    image = np.random.default_rng(1).integers(0, 256, (30, 30, 3), dtype=np.uint8)
    edges = np.arange(side + 1) * 30 / side
    first = np.maximum(edges[:-1, None], np.arange(30))
    last = np.minimum(edges[1:, None], np.arange(1, 31))
    shares = np.clip(last - first, 0, None) * side / 30
    expected = np.einsum("ay,bx,yxc->abc", shares, shares, image)
    assert np.abs(batches.resized(image[None], side)[0] - expected).max() <= 1


def test_images_of_the_full_side_stay():
    images = np.zeros((2, 8, 8, 3), np.uint8)
    assert batches.resized(images, 8) is images
