import numpy as np
import pytest
from scipy.stats import binomtest, norm, t
from sklearn.metrics import accuracy_score, f1_score

from trackbed.evaluation import bootstrap, intervals


@pytest.mark.parametrize(("right", "images"), [(8, 10), (0, 7), (26, 26), (123, 130)])
@pytest.mark.parametrize("level", [0.95, 0.999])
def test_wilsons_interval_is_that_of_scipy(right, images, level):
    found = intervals.wilson(right / images, images, level)
    expected = binomtest(right, images).proportion_ci(level, method="wilson")
    assert found == pytest.approx((expected.low, expected.high))


def test_quantiles_are_those_of_scipys_distributions():
    for probability in (0.025, 0.8, 0.975, 0.995):
        assert intervals.normal_quantile(probability) == norm.ppf(probability)
        for degrees in (1, 4, 30, 500):
            assert intervals.t_quantile(probability, degrees) == t.ppf(probability, degrees)


def test_the_interval_of_an_f1_is_that_of_its_share():
    # 8 images of the class are found, 1 is missed, 1 of another class is called so: F1 is 16 / 18,
    # and 8 of the 10 images of the class or called so are both.
    low, high = binomtest(8, 10).proportion_ci(method="wilson")
    found = intervals.wilson_f1(np.array([16 / 18]), np.array([10]))
    assert np.ravel(found) == pytest.approx([2 * low / (1 + low), 2 * high / (1 + high)])


def test_the_log_odds_by_hand():
    # 0.8 has the log odds log 4 = 1.3863; 0.04 / (0.8 * 0.2) = 0.25 on that scale; Student's t with
    # 10 degrees of freedom is 2.2281: 1.3863 -+ 0.5570 are the log odds of 0.6962 and 0.8747.
    assert intervals.logit_t(0.8, 0.04, 10) == pytest.approx((0.6962, 0.8747), abs=1e-4)


def test_an_interval_near_one_is_asymmetric_and_below_it():
    low, high = intervals.logit_t(0.98, 0.02, 5)
    assert 0.98 - low > 3 * (high - 0.98)
    assert high < 1


def test_no_share_leaves_nought_to_one_by_rounding():
    trials = np.linspace(1, 40, 391)
    low, _ = intervals.wilson(0.0, trials)
    _, high = intervals.wilson(1.0, trials)
    assert low.min() >= 0
    assert high.max() <= 1


def overall(*answers, **options):
    return intervals.intervals(*answers, **options).overall


def answers(images, accuracy, random):
    labels = random.integers(0, 3, images)
    wrong = random.random(images) > accuracy
    return labels, np.where(wrong, (labels + 1) % 3, labels)


def test_accuracy_of_images_agrees_with_the_normal_interval():
    labels, predicted = answers(900, 0.8, np.random.default_rng(1))
    found = overall(labels, predicted, np.arange(900), 3, seed=0)
    share = np.mean(labels == predicted)
    half = 1.96 * np.sqrt(share * (1 - share) / 900)
    assert found["accuracy"] == pytest.approx((share - half, share + half), abs=0.004)


def test_frames_of_one_object_widen_the_interval():
    random = np.random.default_rng(2)
    labels, predicted = (np.repeat(column, 9) for column in answers(100, 0.8, random))
    alone = overall(labels, predicted, np.arange(900), 3, seed=0)
    grouped = overall(labels, predicted, np.repeat(np.arange(100), 9), 3, seed=0)
    for name in ("macro_f1", "accuracy"):
        widths = [high - low for low, high in (alone[name], grouped[name])]
        # nine equal frames say no more than one: the interval is three times as wide
        assert widths[1] / widths[0] == pytest.approx(3, rel=0.15)


def test_perfect_answers_are_not_certain():
    labels = np.arange(60) % 3
    found = intervals.intervals(labels, labels, np.arange(60), 3, seed=0)
    expected = binomtest(60, 60).proportion_ci(method="wilson")
    assert found.overall["macro_f1"] == pytest.approx(expected)
    assert found.overall["accuracy"] == pytest.approx(expected)
    # Per class 20 images; a whole group is no more than one trial.
    low, _ = binomtest(20, 20).proportion_ci(method="wilson")
    assert found.f1 == pytest.approx(np.tile([2 * low / (1 + low), 1], (3, 1)))
    grouped = intervals.intervals(labels, labels, np.arange(60) % 12, 3, seed=0)
    low, _ = binomtest(12, 12).proportion_ci(method="wilson")
    assert grouped.overall["accuracy"][0] == pytest.approx(low)


def test_a_class_without_images_stays_out():
    labels = np.array([0, 0, 1, 1] * 10)
    predicted = labels.copy()
    predicted[3] = 0
    found = intervals.intervals(labels, predicted, np.arange(40), 3, seed=0)
    two = intervals.intervals(labels, predicted, np.arange(40), 2, seed=0)
    assert found.overall == two.overall
    assert np.isnan(found.f1).tolist() == [[False] * 2, [False] * 2, [True] * 2]


def test_resampled_scores_agree_with_weighted_scikit_learn():
    random = np.random.default_rng(8)
    labels, predicted = answers(400, 0.7, random)
    groups = np.arange(400) // random.integers(1, 20)
    counted = bootstrap.counts(labels, predicted, groups, 3)
    tables = np.hstack([counted.right, counted.support, counted.calls])
    strata = counted.support.argmax(axis=1)
    number = len(tables)
    # The counts of all groups differ, so that their weights can be had from the same samples.
    assert len(np.unique(tables, axis=0)) == number
    resampled = bootstrap.resampled_sums(np.hstack([tables, np.eye(number)]), strata, seed=0)[:30]
    found = bootstrap.Counts(*np.split(resampled[:, :9], 3, axis=1))
    for place, weights in enumerate(resampled[:, 9:]):
        options = {"sample_weight": weights[groups], "labels": range(3)}
        expected = f1_score(labels, predicted, average=None, **options)
        assert found.f1[place] == pytest.approx(expected)
        assert found.macro_f1[place] == pytest.approx(expected.mean())
        options.pop("labels")
        assert found.accuracy[place] == pytest.approx(accuracy_score(labels, predicted, **options))


def test_a_class_missing_in_a_resample_is_left_out_of_it():
    # Class 2 has one image, in a group that is mostly class 0.
    labels = np.array([0, 0, 2] + [0] * 9 + [1] * 12)
    predicted = np.where(np.arange(24) % 7 == 3, 1 - labels % 2, labels)
    found = intervals.intervals(labels, predicted, np.arange(24) // 3, 3, seed=0)
    for low, high in (*found.overall.values(), *found.f1):
        assert 0 <= low < high <= 1


def test_a_single_group_tells_nothing_of_others():
    labels = np.arange(12) % 3
    found = intervals.intervals(labels, labels, np.zeros(12), 3, seed=0)
    assert np.isnan([*found.overall.values(), *found.f1]).all()
    _, low, high = intervals.macro_f1_difference(labels, (labels, labels), np.zeros(12), 3, 0)
    assert np.isnan([low, high]).all()


def test_most_intervals_hold_the_truth_with_few_groups():
    # 25 groups of 5 images that are right together; drawing images would hold it in 2 of 3 cases.
    random = np.random.default_rng(4)
    held = []
    for seed in range(150):
        right = random.random(125) < np.repeat(random.beta(0.9 * 7 / 3, 0.1 * 7 / 3, 25), 5)
        labels = np.repeat(np.arange(5), 25)
        predicted = np.where(right, labels, (labels + random.integers(1, 5, 125)) % 5)
        found = intervals.intervals(labels, predicted, np.arange(125) // 5, 5, seed)
        low, high = found.overall["accuracy"]
        held.append([low <= 0.9 <= high, *((found.f1[:, 0] <= 0.9) & (found.f1[:, 1] >= 0.9))])
    assert np.mean([first for first, *_ in held]) > 0.9
    assert np.mean([rest for _, *rest in held]) > 0.93


def test_the_design_effect_of_equal_images_is_the_group_size():
    labels, predicted = (np.repeat(c, 4) for c in answers(150, 0.8, np.random.default_rng(6)))
    groups = np.repeat(np.arange(150), 4)
    effect = intervals.design_effect(labels, predicted, groups, 3, seed=0)
    assert effect == pytest.approx(4, rel=0.1)
    assert intervals.design_effect(labels, predicted, np.arange(600), 3, 0) < 1.1
    # A part that is all right: as many trials as it has groups.
    part = np.arange(600) < 40
    found = intervals.accuracy(part[part], labels[part], groups[part], 4.0, 0, [0.9])
    assert found == [pytest.approx(binomtest(10, 10).proportion_ci(0.9, method="wilson"))]


def test_the_seed_decides():
    labels, predicted = answers(200, 0.7, np.random.default_rng(3))
    first, again, other = (
        overall(labels, predicted, np.arange(200), 3, seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_bounds_are_named_after_their_score():
    assert intervals.bounds({"macro_f1": (0.7, 0.9)}) == {"macro_f1_low": 0.7, "macro_f1_high": 0.9}


def test_a_class_with_a_single_group_has_a_wide_interval():
    labels = np.repeat([0, 1, 2], 10)
    predicted = np.where(np.arange(30) % 5 == 0, (labels + 1) % 3, labels)
    groups = np.repeat(["a", "b", "c"], 10)
    low, high = overall(labels, predicted, groups, 3, seed=0)["macro_f1"]
    assert high - low > 0.01


def test_a_paired_difference_is_narrower_than_the_scores():
    random = np.random.default_rng(5)
    labels, first = answers(900, 0.8, random)
    second = np.where(random.random(900) < 0.02, labels, first)  # mends a few mistakes
    difference, low, high = intervals.macro_f1_difference(
        labels, (second, first), np.arange(900), 3, seed=0
    )
    expected = f1_score(labels, second, average="macro") - f1_score(labels, first, average="macro")
    assert difference == pytest.approx(expected)
    assert low <= difference <= high
    alone = overall(labels, first, np.arange(900), 3, seed=0)["macro_f1"]
    assert high - low < (alone[1] - alone[0]) / 3


def test_a_difference_of_few_groups_stays_within_minus_one_and_one():
    labels, groups = np.tile([0, 0, 1, 1], 3), np.arange(12) // 4
    wrong_in_first = np.where(groups == 0, 1 - labels, labels)
    pairs = (labels, wrong_in_first), (wrong_in_first, labels)
    found = [intervals.macro_f1_difference(labels, pair, groups, 2, seed=0) for pair in pairs]
    assert [value for value, *_ in found] == pytest.approx([1 / 3, -1 / 3])
    assert [ends for _, *ends in found] == [[-1, 1], [-1, 1]]  # of three groups, 2 degrees
