from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageStat
from recorded import stored

from trackbed.ingest import recording
from trackbed.ingest.entries import Entry
from trackbed.judging import baselines

NAMES = ["A", "B", "C"]


def records(folder, counts, seed=1):
    """Noise that is a little redder, greener or bluer from class to class."""
    random = np.random.default_rng(seed)
    pairs = []
    for label, count in enumerate(counts):
        for number in range(count):
            pixels = random.integers(0, 200, (20, 24, 3))
            pixels[..., label] += 50
            entry = Entry(f"{NAMES[label]}/{number}.png", NAMES[label], "", "", Path("x"))
            pairs.append((entry, stored(pixels.astype(np.uint8), "png")))
    return recording.write(folder, pairs, NAMES, 10**6)


def test_colours_are_those_of_pillow():
    images = np.random.default_rng(2).integers(0, 256, (3, 9, 7, 3), dtype=np.uint8)
    found = baselines.features(images)
    assert found.shape == (3, 16)
    for image, row in zip(images, found, strict=True):
        stat = ImageStat.Stat(Image.fromarray(image))
        expected = np.array([*stat.mean, *stat.stddev]) / 255
        np.testing.assert_allclose(row[:6], expected, rtol=1e-5)


def test_gradients_by_hand():
    ramp = np.arange(0, 160, 10, dtype=np.uint8)
    across = np.broadcast_to(ramp[None, :, None], (16, 16, 3))
    down, flat = across.swapaxes(0, 1), np.full_like(across, 80)
    found = baselines.features(np.stack([across, down, across[:, ::-1], flat]))
    # 10 of 255 from pixel to pixel, everywhere the same; the mirrored ramp has the direction of
    # the ramp, the one that goes down is a quarter turn away: bins 0 and 4 of 8 over a half turn.
    np.testing.assert_allclose(found[:, 6], [10 / 255] * 3 + [0], rtol=1e-5)
    np.testing.assert_allclose(found[:, 7], 0, atol=1e-7)
    shares = found[:, 8:]
    np.testing.assert_allclose(shares[0], np.eye(8)[0])
    np.testing.assert_allclose(shares[1], np.eye(8)[4])
    np.testing.assert_allclose(shares[2], np.eye(8)[0])
    assert not shares[3].any()


def test_images_beyond_a_portion_are_the_same(monkeypatch):
    images = np.random.default_rng(3).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
    whole = baselines.features(images)
    monkeypatch.setattr(baselines, "PORTION", 4)
    np.testing.assert_array_equal(baselines.features(images), whole)


def test_colour_is_told_by_the_regression_and_the_majority_is_the_most_frequent_class(tmp_path):
    table = records(tmp_path, (14, 20, 17))
    training, test = table[table.index % 3 > 0], table[table.index % 3 == 0]
    found = baselines.predicted(tmp_path, training, test)
    assert (found["majority"] == 1).all()
    assert (found["logistic"] == test["label"]).mean() > 0.9
    again = baselines.predicted(tmp_path, training, test)
    np.testing.assert_array_equal(found["logistic"], again["logistic"])


def test_of_equally_frequent_classes_the_first_is_the_majority(tmp_path):
    table = records(tmp_path, (0, 3, 3))
    found = baselines.predicted(tmp_path, table, table)
    assert set(found["majority"]) == set(table["label"]) & {table["label"].min()}


@pytest.mark.parametrize("kept", [slice(0, 4), slice(0, 0)])
def test_one_class_or_no_test_images_leave_the_majority_alone(tmp_path, kept):
    table = records(tmp_path, (4, 4, 0))
    training = table[table["label"] == 0] if kept.stop else table
    found = baselines.predicted(tmp_path, training, table.iloc[kept])
    assert len(found["logistic"]) == kept.stop
    np.testing.assert_array_equal(found["logistic"], found["majority"])
