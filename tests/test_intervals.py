import numpy as np
import pytest
from sklearn.metrics import f1_score

from trackbed.judging import intervals


def answers(images, accuracy, random):
    labels = random.integers(0, 3, images)
    wrong = random.random(images) > accuracy
    return labels, np.where(wrong, (labels + 1) % 3, labels)


def test_accuracy_of_single_images_agrees_with_the_normal_approximation():
    labels, predicted = answers(900, 0.8, np.random.default_rng(1))
    found = intervals.macro_f1_and_accuracy(labels, predicted, np.arange(900), 3, seed=0)
    share = np.mean(labels == predicted)
    half = 1.96 * np.sqrt(share * (1 - share) / 900)
    assert found["accuracy"] == pytest.approx((share - half, share + half), abs=0.004)


def test_frames_of_one_object_widen_the_interval():
    random = np.random.default_rng(2)
    labels, predicted = (np.repeat(column, 9) for column in answers(100, 0.8, random))
    alone = intervals.macro_f1_and_accuracy(labels, predicted, np.arange(900), 3, seed=0)
    grouped = intervals.macro_f1_and_accuracy(
        labels, predicted, np.repeat(np.arange(100), 9), 3, seed=0
    )
    for name in ("macro_f1", "accuracy"):
        widths = [high - low for low, high in (alone[name], grouped[name])]
        # nine equal frames say no more than one: the interval is three times as wide
        assert widths[1] / widths[0] == pytest.approx(3, rel=0.15)


def test_perfect_answers_have_an_interval_of_no_width():
    labels = np.arange(60) % 3
    found = intervals.macro_f1_and_accuracy(labels, labels, np.arange(60), 3, seed=0)
    assert found == {"macro_f1": (1, 1), "accuracy": (1, 1)}


def test_a_class_without_images_stays_out():
    labels = np.array([0, 0, 1, 1] * 10)
    found = intervals.macro_f1_and_accuracy(labels, labels, np.arange(40), 3, seed=0)
    assert found["macro_f1"] == (1, 1)


def test_the_seed_decides():
    labels, predicted = answers(200, 0.7, np.random.default_rng(3))
    first, again, other = (
        intervals.macro_f1_and_accuracy(labels, predicted, np.arange(200), 3, seed)
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_bounds_stand_right_behind_their_score():
    rows = intervals.beside({"macro_f1": 0.8, "loss": 0.5}, {"macro_f1": (0.7, 0.9)})
    assert list(rows.items()) == [
        ("macro_f1", 0.8),
        ("macro_f1_low", 0.7),
        ("macro_f1_high", 0.9),
        ("loss", 0.5),
    ]


def test_a_class_with_a_single_group_does_not_pretend_to_be_certain():
    labels = np.repeat([0, 1, 2], 10)
    predicted = np.where(np.arange(30) % 5 == 0, (labels + 1) % 3, labels)
    groups = np.repeat(["a", "b", "c"], 10)
    low, high = intervals.macro_f1_and_accuracy(labels, predicted, groups, 3, seed=0)["macro_f1"]
    assert high - low > 0.01


def test_a_paired_difference_is_narrower_than_the_scores_themselves():
    random = np.random.default_rng(5)
    labels, first = answers(900, 0.8, random)
    second = np.where(random.random(900) < 0.02, labels, first)  # mends a few mistakes
    difference, low, high = intervals.macro_f1_difference(
        labels, (second, first), np.arange(900), 3, seed=0
    )
    expected = f1_score(labels, second, average="macro") - f1_score(labels, first, average="macro")
    assert difference == pytest.approx(expected)
    assert low <= difference <= high
    alone = intervals.macro_f1_and_accuracy(labels, first, np.arange(900), 3, seed=0)["macro_f1"]
    assert high - low < (alone[1] - alone[0]) / 3


def test_the_interval_of_a_share_is_that_of_the_accuracy_where_all_images_count():
    labels, predicted = answers(300, 0.8, np.random.default_rng(4))
    groups, every = np.arange(300) // 3, np.ones(300, bool)
    found = intervals.share(labels == predicted, every, labels, groups, 0)
    whole = intervals.macro_f1_and_accuracy(labels, predicted, groups, 3, 0)
    assert found == pytest.approx(whole["accuracy"])


def test_the_interval_of_a_share_of_some_images_agrees_with_the_normal_approximation():
    random = np.random.default_rng(5)
    labels, of = random.integers(0, 3, 4000), random.random(4000) < 0.25
    counted = of & (random.random(4000) < 0.9)
    share = counted.sum() / of.sum()
    half = 1.96 * np.sqrt(share * (1 - share) / of.sum())
    found = intervals.share(counted, of, labels, np.arange(4000), 0)
    assert found == pytest.approx((share - half, share + half), abs=0.004)


def test_a_share_of_no_images_has_no_interval_and_that_of_one_group_no_width():
    labels, none = np.array([0, 1, 1, 0]), np.zeros(4, bool)
    assert np.isnan(intervals.share(none, none, labels, np.arange(4), 0)).all()
    right = np.array([True, True, True, False])
    assert intervals.share(right, ~none, labels, np.zeros(4), 0) == (0.75, 0.75)
