from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageStat
from recorded import stored
from sklearn.metrics import f1_score

from trackbed.dataset import recording
from trackbed.dataset.schema import Entry
from trackbed.evaluation import baselines
from trackbed.pipeline.errors import Damaged

LABELS = np.arange(90) % 3
GROUPS = np.arange(90) // 3
MAJORITY = np.zeros(90, int)
HALF = np.where(np.arange(90) % 2, LABELS, (LABELS + 1) % 3)


def found(predicted, groups=GROUPS, **others):
    given = {"majority": MAJORITY, "logistic": HALF} | others
    return baselines.baseline_gain(LABELS, predicted, given, groups, 3, 0)


def test_the_gain_is_over_the_better_baseline():
    scores = found(LABELS)
    assert scores["baseline_majority_macro_f1"] == pytest.approx(
        f1_score(LABELS, MAJORITY, average="macro")
    )
    half = f1_score(LABELS, HALF, average="macro")
    assert scores["baseline_logistic_macro_f1"] == pytest.approx(half)
    assert scores["above_baseline"] == pytest.approx(1 - half)
    assert 0 < scores["above_baseline_low"] <= 1 - half <= scores["above_baseline_high"]
    assert scores["not_above_baseline"] == 0
    assert baselines.baseline_warning(scores) == ""


@pytest.mark.parametrize("predicted", [HALF, MAJORITY])
def test_a_model_no_better_than_a_baseline_is_warned_of(predicted):
    scores = found(predicted) | {"macro_f1": f1_score(LABELS, predicted, average="macro")}
    assert scores["not_above_baseline"] == 1
    words = baselines.baseline_warning(scores)
    assert words.startswith("WARNING: this model is NOT SHOWN to be better")
    for name in ("macro_f1", "baseline_logistic_macro_f1", "above_baseline_high"):
        assert f"{abs(scores[name]):.3f}" in words


def test_a_class_without_test_images_stays_out():
    whole = baselines.baseline_gain(LABELS, LABELS, {"majority": MAJORITY}, GROUPS, 5, 0)
    assert whole["above_baseline"] == pytest.approx(1 - 0.5 / 3)  # F1 of class 0: 2 / 4


def test_a_single_group_has_no_interval_and_no_gain():
    scores = found(LABELS, groups=np.zeros(90))
    assert np.isnan([scores["above_baseline_low"], scores["above_baseline_high"]]).all()
    assert scores["not_above_baseline"] == 1


def test_an_older_evaluation_without_baselines_raises_no_alarm():
    assert baselines.baseline_warning({"macro_f1": 0.1}) == ""


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


def test_images_beyond_a_chunk_are_the_same(monkeypatch):
    images = np.random.default_rng(3).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
    whole = baselines.features(images)
    monkeypatch.setattr(baselines, "CHUNK", 4)
    np.testing.assert_array_equal(baselines.features(images), whole)


def test_regression_learns_colour_and_majority_is_the_largest(tmp_path):
    table = records(tmp_path, (14, 20, 17))
    training, test = table[table.index % 3 > 0], table[table.index % 3 == 0]
    found = baselines.predicted(tmp_path, training, test)
    assert (found["majority"] == 1).all()
    assert (found["logistic"] == test["label"]).mean() > 0.9
    again = baselines.predicted(tmp_path, training, test)
    np.testing.assert_array_equal(found["logistic"], again["logistic"])


def test_a_kept_baseline_is_of_the_same_undamaged_records(tmp_path):
    folder, other = tmp_path / "records", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    table = records(folder, (9, 9, 9))
    training, test = table[table.index % 3 > 0], table[table.index % 3 == 0]
    found = baselines.predicted(folder, training, test)["logistic"]
    # Other pictures under the same names, and fewer rows, are computed anew.
    same_names = records(other, (9, 9, 9), seed=4)
    rows = same_names.loc[training.index], same_names.loc[test.index]
    fresh = baselines._logistic(other, *rows)["logistic"]
    np.testing.assert_array_equal(baselines.predicted(other, *rows)["logistic"], fresh)
    assert len(baselines.predicted(folder, training, test[1:])["logistic"]) == len(found) - 1
    shard = folder / table["shard"].iloc[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(Damaged, match=shard.name):
        baselines.predicted(folder, training, test)


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
