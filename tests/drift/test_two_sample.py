import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from trackbed.drift import two_sample


def drives(random, count, frames=10, shift=0.0):
    """Features of drives whose frames are nearly equal, and the names of their drives."""
    places = random.normal(shift, 1, (count, 3))
    features = np.repeat(places, frames, axis=0) + random.normal(0, 0.05, (count * frames, 3))
    return features, [f"drive{number}" for number in range(count) for _ in range(frames)]


def p_value(random, new_drives, shift=0.0, by_image=False):
    held_out, names = drives(random, 30)
    new, new_names = drives(random, new_drives, shift=shift)
    if by_image:
        names, new_names = range(len(names)), range(len(new_names))
    both = two_sample.samples(names, new_names)
    return two_sample.classifier_test(np.concatenate([held_out, new]), both).p_value


def test_areas_agree_with_scikit_learn():
    random = np.random.default_rng(0)
    scores = random.integers(0, 5, (60, 4)).astype(float)  # with ties
    marks = random.integers(0, 2, (60, 4)).astype(float)
    expected = [roc_auc_score(marks[:, column], scores[:, column]) for column in range(4)]
    assert two_sample.areas(scores, marks) == pytest.approx(expected)


def test_distances_agree_with_scipy_also_with_ties():
    random = np.random.default_rng(1)
    values = np.stack([random.integers(0, 4, 50), random.normal(size=50)], axis=1).astype(float)
    both = two_sample.samples(range(30), range(20))
    expected = max(ks_2samp(column[:30], column[30:]).statistic for column in values.T)
    assert two_sample.distribution_test(values, both).value == pytest.approx(expected)


def test_p_values_count_the_arrangements_of_groups():
    # Six groups of two; 15 ways to choose two. The true one has the largest difference, and so
    # has its opposite none: |mean of 5, 6 less mean of 1 to 4| = 3 is reached only by {1, 2}.
    values = np.repeat([1.0, 2, 3, 4, 5, 6], 2)
    both = two_sample.samples([*"aabbccdd"], [*"eeff"])
    assert both.arrangements == 15
    found = two_sample.mean_test(values, both)
    assert found.value == pytest.approx(3.0)
    assert found.p_value == pytest.approx(2 / 15)
    assert both.smallest_p_value == pytest.approx(1 / 15)


def test_equal_names_in_both_samples_are_two_groups():
    both = two_sample.samples(["a", "a", "b"], ["a"])
    assert both.groups.tolist() == [0, 0, 1, 2]
    assert both.group_is_new.tolist() == [False, False, True]


def test_drives_of_one_distribution_are_no_drift():
    random = np.random.default_rng(2)
    found = np.array([p_value(random, 8) for _ in range(20)])
    assert (found <= 0.05).sum() <= 4  # 1 expected; more than 4 of 20 have probability 0.003
    # What the same pictures give where every picture counts as a group.
    alone = np.array([p_value(random, 8, by_image=True) for _ in range(5)])
    assert (alone <= 0.05).sum() >= 3


def test_shifted_drives_are_drift():
    assert p_value(np.random.default_rng(3), 12, shift=1.5) <= 0.01


def test_equal_pictures_are_no_drift():
    both = two_sample.samples(range(12), range(12))
    assert two_sample.classifier_test(np.ones((24, 2)), both).p_value == 1
    assert two_sample.distribution_test(np.ones((24, 2)), both).p_value == 1


def test_what_is_left_does_not_depend_on_the_shares():
    # Two classes far apart; the new pictures are all of the second.
    random = np.random.default_rng(4)
    answers = np.array([0, 1] * 30 + [1] * 20)
    features = answers[:, None] * 50.0 + random.normal(size=(80, 2))
    both = two_sample.samples(range(60), range(20))
    assert two_sample.classifier_test(features, both).p_value <= 0.01
    left = two_sample.without_class_means(features, answers)
    assert two_sample.classifier_test(left, both).p_value > 0.05


def test_many_features_become_principal_components():
    features = np.random.default_rng(5).normal(size=(300, 100))
    found = two_sample.standardised(features)
    assert found.shape == (300, two_sample.COMPONENTS)
    assert two_sample.standardised(features[:, :5]).std(axis=0) == pytest.approx(1)


def test_holm_by_hand():
    # Times 3 for the smallest, times 2 for the next, and never below the one before.
    assert two_sample.adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert two_sample.adjusted([0.9, 0.5]) == pytest.approx([1, 1])


def test_the_score_of_a_shifted_picture_is_higher():
    random = np.random.default_rng(6)
    features = np.concatenate([random.normal(size=(80, 2)), random.normal(3, 1, (40, 2))])
    both = two_sample.samples(range(80), range(40))
    scores = two_sample.classifier_scores(features, both)
    assert roc_auc_score(both.is_new, scores) > 0.9
    assert two_sample.classifier_test(features, both).value == pytest.approx(
        roc_auc_score(both.is_new, scores)
    )
