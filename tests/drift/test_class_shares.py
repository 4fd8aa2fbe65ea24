import numpy as np
import pytest

from trackbed.drift import class_shares

# Of a classifier that answers 1 for 90 % of class 1 and for 20 % of class 0.
HIT, FALSE_ALARM = 0.9, 0.2


def probabilities(ones, zeros):
    """Probabilities for so many answers 1 and 0, right where the classes are equally frequent."""
    one, zero = HIT / (HIT + FALSE_ALARM), (1 - HIT) / (2 - HIT - FALSE_ALARM)
    given = np.repeat([one, zero], [ones, zeros])
    return np.stack([1 - given, given], axis=1)


def held_out():
    """1,000 pictures of each class and their labels."""
    labels = np.repeat([1, 1, 0, 0], [900, 100, 200, 800])
    return np.concatenate([probabilities(900, 100), probabilities(200, 800)]), labels


def test_em_gives_the_most_likely_shares():
    # 30 % answers 1: 0.9 x + 0.2 (1 - x) = 0.3, x = 1/7.
    found = class_shares.shares_by_em(probabilities(300, 700), np.array([0.5, 0.5]))
    assert found[1] == pytest.approx(1 / 7, abs=1e-4)
    assert found.sum() == pytest.approx(1)


def test_shares_beyond_all_answers_end_at_none():
    found = class_shares.shares_by_em(probabilities(100, 900), np.array([0.5, 0.5]))
    assert found[1] == pytest.approx(0, abs=1e-3)  # fewer answers 1 than false alarms


def test_a_calibration_finds_scale_and_bias():
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 3))
    true = logits * 0.5 + np.array([0.4, 0.0, -0.4])
    chances = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    found = class_shares.calibrated(logits, labels)
    assert found.scale == pytest.approx(0.5, abs=0.03)
    assert np.diff(found.bias) == pytest.approx([-0.4, -0.4], abs=0.06)
    assert found.shares == pytest.approx(np.bincount(labels) / 20_000, abs=0.01)


def test_shares_come_with_counts_and_an_interval():
    known, labels = held_out()
    new = probabilities(300, 700)
    found = class_shares.class_shares(known, labels, new, (np.arange(2000), np.arange(1000)))
    assert found.held_out == pytest.approx([0.5, 0.5])
    assert found.counted == pytest.approx([0.7, 0.3])
    assert found.estimated[1] == pytest.approx(1 / 7, abs=0.01)
    assert found.low[1] < 1 / 7 < found.high[1] < 0.3
    # A standard error of the answers is 1.4 %, and of the shares 1 / 0.7 times that.
    assert found.high[1] - found.low[1] == pytest.approx(4 * 0.0145 / 0.7, rel=0.5)


def test_an_interval_by_groups_is_wider(monkeypatch):
    monkeypatch.setattr(class_shares, "RESAMPLES", 40)
    known, labels = held_out()
    new = probabilities(300, 700)
    drives = np.arange(1000) // 100  # 10 groups of equal answers
    alone = class_shares.class_shares(known, labels, new, (np.arange(2000), np.arange(1000)))
    together = class_shares.class_shares(known, labels, new, (np.arange(2000), drives))
    assert together.high[1] - together.low[1] > 3 * (alone.high[1] - alone.low[1])


def frames_of_drives(errors, drives=40, frames=10):
    """Logits and labels of two classes; of class 0 so many frames of every drive are mistaken."""
    labels = np.repeat(np.arange(drives) % 2, frames)
    wrong = (labels == 0) & (
        np.tile(np.arange(frames), drives) < errors[:, None].repeat(frames, 1).ravel()
    )
    answers = np.where(wrong, 1, labels)
    return (
        np.stack([1.0 - answers, answers], axis=1) * 3,
        labels,
        np.repeat(np.arange(drives), frames),
    )


def test_repeated_errors_are_corrected_and_rare_ones_are_not():
    repeated = frames_of_drives(np.full(20, 4), drives=20)  # 40 % of every drive of class 0
    assert class_shares.weight_of_em(*repeated, new_groups=8, seed=0) > 0.9
    rare = frames_of_drives(np.where(np.arange(20) == 6, 10, 0), drives=20)  # all of one drive
    assert class_shares.weight_of_em(*rare, new_groups=8, seed=0) < 0.5


def test_one_held_out_group_leaves_the_counted_shares():
    one = frames_of_drives(np.zeros(2, int), drives=2)
    assert class_shares.weight_of_em(*one[:2], np.zeros(20, int), new_groups=20, seed=0) == 0
