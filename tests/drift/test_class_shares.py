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
