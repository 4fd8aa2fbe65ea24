"""The tables of cross-validation, against scikit-learn and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from trackbed.evaluation import cross_validation, scores


def runs(*rows, keys=("train.dropout",)):
    """Rows of values..., fold, seed, macro F1."""
    table = pd.DataFrame(rows, columns=[*keys, "fold", "seed", "val_macro_f1"])
    table["val_accuracy"], table["val_loss"] = table["val_macro_f1"] / 2, 1 - table["val_macro_f1"]
    return table.assign(seconds=10.0 * (table["fold"] + 1))


@pytest.fixture(scope="module")
def searched():
    """A real grid search of scikit-learn, its splits as runs in another order."""
    features, labels = make_classification(60, 5, random_state=0)
    grid = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 60]}
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=4, scoring="f1_macro")
    search.fit(features, labels)
    found = search.cv_results_
    rows = [
        (str(depth), str(leaf), fold, 0, found[f"split{fold}_test_score"][place])
        for place, (depth, leaf) in enumerate(
            zip(found["param_max_depth"], found["param_min_samples_leaf"], strict=True)
        )
        for fold in (3, 0, 2, 1)
    ]
    return search, runs(*rows, keys=("max_depth", "min_samples_leaf"))


def test_the_table_is_that_of_grid_search_cv(searched):
    search, table = searched
    ours = cross_validation.cv_results(table, ["max_depth", "min_samples_leaf"])
    for column in (
        "mean_test_score",
        "std_test_score",
        *(f"split{n}_test_score" for n in range(4)),
    ):
        np.testing.assert_allclose(ours[column], search.cv_results_[column])
    assert ours["rank_test_score"].tolist() == search.cv_results_["rank_test_score"].tolist()
    assert set(ours["rank_test_score"]) != set(range(1, 7))  # there are ties
    assert ours["mean_fit_time"].tolist() == [25.0] * 6
    best = ours.iloc[ours["rank_test_score"].argmin()]
    assert best["param_max_depth"] == str(search.best_params_["max_depth"])
    assert best["mean_test_score"] == pytest.approx(search.best_score_)


def test_mean_deviation_and_interval_by_hand():
    table = cross_validation.table(
        runs(("0.2", 0, 0, 0.7), ("0.2", 1, 0, 0.8), ("0.2", 2, 0, 0.9)), ["train.dropout"]
    )
    (row,) = table.to_dict("records")
    assert row["mean"] == pytest.approx(0.8)
    assert row["std"] == pytest.approx(0.1)
    # Student's t with 2 degrees of freedom: 4.3027, of the log odds, ln(0.8 / 0.2), whose
    # deviation is that of the mean divided by 0.8 * 0.2.
    reach = 4.3027 * 0.1 / math.sqrt(3) / 0.16
    assert row["low"] == pytest.approx(1 / (1 + math.exp(reach) / 4), abs=1e-5)
    assert row["high"] == pytest.approx(1 / (1 + math.exp(-reach) / 4), abs=1e-5)
    assert (row["rank"], row["splits"], row["val_accuracy"]) == (1, 3, pytest.approx(0.4))


def test_the_interval_agrees_with_scipy():
    values = np.random.default_rng(0).random(5)
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert cross_validation.t_interval(values) == pytest.approx(expected)
    assert np.isnan(cross_validation.t_interval([0.5])).all()


@pytest.mark.parametrize(
    "values", [[0.7, 0.956], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.999, 1.0, 0.97], [0.001, 0.2]]
)
def test_the_interval_of_a_share_stays_a_share(values):
    low, high = cross_validation.t_interval(values, scores.SHARE)
    assert 0 <= low <= np.mean(values) <= high <= 1


def test_a_mean_of_many_equal_folds_has_the_interval_of_scipy():
    values = np.random.default_rng(0).normal(0.5, 0.001, 20)
    expected = stats.t.interval(0.95, 19, values.mean(), stats.sem(values))
    assert cross_validation.t_interval(values, scores.SHARE) == pytest.approx(expected, abs=1e-6)


def test_the_interval_of_a_loss_is_not_negative():
    assert cross_validation.t_interval([0.01, 0.2], scores.limits("val_loss"))[0] == 0
    table = cross_validation.table(
        runs(("a", 0, 0, 0.9), ("a", 1, 0, 0.1)), ["train.dropout"], "val_loss", lower=True
    )
    assert table["low"].tolist() == [0]
    assert table["high"].iloc[0] > 1


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("val_macro_f1", (0, 1)),
        ("test_accuracy", (0, 1)),
        ("best.val_accuracy", (0, 1)),
        ("test_top_3", (0, 1)),
        ("test_macro_f1_low", (0, 1)),
        ("test_above_baseline", (-1, 1)),
        ("test_brier", (0, 2)),
        ("val_loss", (0, math.inf)),
        ("seconds", (0, math.inf)),
        ("parameters", (-math.inf, math.inf)),
    ],
)
def test_limits_of_scores(name, limits):
    assert scores.limits(name) == limits


def test_equal_scores_are_ordered_by_the_lower_loss():
    table = runs(("a", 0, 0, 0.9), ("b", 0, 0, 0.9), ("c", 0, 0, 0.9), ("d", 0, 0, 0.95))
    table["val_loss"] = [0.3, 0.1, np.nan, 0.5]
    ranked = cross_validation.table(table, ["train.dropout"])
    assert ranked["train.dropout"].tolist() == ["d", "b", "a", "c"]
    assert ranked["rank"].tolist() == [1, 2, 2, 2]


def test_rounding_does_not_decide_the_rank():
    rows = [("a", fold, 0, score) for fold, score in enumerate((0.1, 0.2, 0.3))]
    rows += [("b", fold, 0, score) for fold, score in enumerate((0.3, 0.2, 0.1))]
    table = runs(*rows)
    table["val_loss"] = [0.5] * 3 + [0.4] * 3
    assert cross_validation.table(table, ["train.dropout"])["train.dropout"].iloc[0] == "b"


def test_a_setting_that_lacks_a_fold_is_not_ranked():
    table = cross_validation.table(
        runs(("a", 0, 0, 0.99), ("b", 0, 0, 0.5), ("b", 1, 0, 0.6)), ["train.dropout"]
    )
    assert table["train.dropout"].tolist() == ["b", "a"]
    assert math.isnan(table["mean"].iloc[1])
    assert table["min"].iloc[0] == 0.5
    assert table["max"].isna().tolist() == [False, True]
    assert table["rank"].tolist() == [1, 2]


def test_seeds_are_averaged_within_their_fold():
    rows = [("a", fold, seed, 0.1 * fold + seed) for fold in (0, 1) for seed in (0, 1)]
    splits = cross_validation.splits(runs(*rows), ["train.dropout"], "val_macro_f1")
    assert splits.to_numpy().tolist() == [pytest.approx([0.5, 0.6])]
    # Lowest and highest of single runs: 0 of seed 0 on fold 0, 1.1 of seed 1 on fold 1.
    row = cross_validation.table(runs(*rows), ["train.dropout"]).iloc[0]
    assert (row["min"], row["max"]) == (pytest.approx(0), pytest.approx(1.1))
    # One seed of fold 1 failed: its mean would be of another seed alone.
    splits = cross_validation.splits(runs(*rows[:3]), ["train.dropout"], "val_macro_f1")
    assert np.isnan(splits.to_numpy()).tolist() == [[False, True]]


def test_seeds_are_what_is_repeated_on_one_fold():
    table = runs(("a", 0, 0, 0.4), ("a", 0, 1, 0.6))
    assert cross_validation.repeated(table) == "seed"
    assert cross_validation.table(table, [])["splits"].tolist() == [2]


def test_marginals_pool_the_folds_of_all_settings_with_the_value():
    rows = [
        (dropout, batch, fold, 0, score + 0.1 * fold)
        for dropout, batch, score in (("0", "8", 0.1), ("0", "16", 0.3), ("1", "8", 0.5))
        for fold in (0, 1)
    ]
    found = cross_validation.marginals(runs(*rows, keys=("d", "b")), ["d", "b"])
    assert found[["key", "value", "runs"]].values.tolist() == [
        ["d", "0", 4],
        ["d", "1", 2],
        ["b", "8", 4],
        ["b", "16", 2],
    ]
    assert found["mean"].tolist() == pytest.approx([0.25, 0.55, 0.35, 0.35])
    # Of the two folds' means, not of four runs: 0.2 and 0.3.
    assert found["std"].iloc[0] == pytest.approx(np.std([0.2, 0.3], ddof=1))


def test_a_low_score_may_be_the_better_one():
    table = runs(("a", 0, 0, 0.2), ("b", 0, 0, 0.9))
    best = cross_validation.table(table, ["train.dropout"], "val_loss", lower=True)
    assert best["train.dropout"].tolist() == ["b", "a"]


def test_the_paired_difference_is_corrected_for_overlap():
    first, second = [0.9, 0.8, 0.85, 0.95, 0.9], [0.88, 0.79, 0.82, 0.95, 0.87]
    rows = [("a", fold, 0, score) for fold, score in enumerate(first)]
    rows += [("b", fold, 0, score) for fold, score in enumerate(second)]
    change = cross_validation.difference(runs(*rows), ["train.dropout"], ("a",), ("b",))
    # scikit-learn's example "Statistical comparison of models using grid search".
    differences = np.subtract(first, second)
    deviation = math.sqrt(differences.var(ddof=1) * (1 / 5 + 1 / 4))
    assert change.value == pytest.approx(differences.mean())
    assert change.high - change.low == pytest.approx(2 * stats.t.ppf(0.975, 4) * deviation)
    assert (change.count, change.of) == (5, "fold")
    assert not change.distinguishable
    plain = stats.ttest_rel(first, second)
    assert plain.pvalue < 0.05  # which would have found a difference


@pytest.mark.parametrize(("folds", "ran"), [(5, 5), (5, 2), (10, 3)])
def test_the_correction_has_the_folds_of_the_split(folds, ran):
    first, second = np.random.default_rng(folds).normal(0.8, 0.05, (2, ran))
    rows = [("a", fold, 0, score) for fold, score in enumerate(first)]
    rows += [("b", fold, 0, score) for fold, score in enumerate(second)]
    table = runs(*rows).assign(folds=folds)
    change = cross_validation.difference(table, ["train.dropout"], ("a",), ("b",))
    # Nadeau and Bengio: 1/n + images of a validation fold / images trained on.
    tested, trained = 1 / folds, 1 - 1 / folds
    deviation = math.sqrt((first - second).var(ddof=1) * (1 / ran + tested / trained))
    reach = stats.t.ppf(0.975, ran - 1) * deviation
    middle = (first - second).mean()
    assert (change.low, change.high) == pytest.approx((middle - reach, middle + reach))


def test_a_difference_of_shares_stays_within_minus_one_and_one():
    rows = [("a", 0, 0, 0.9), ("a", 1, 0, 0.9), ("b", 0, 0, 0.1), ("b", 1, 0, 0.5)]
    change = cross_validation.difference(runs(*rows), ["train.dropout"], ("a",), ("b",))
    assert (change.low, change.high) == (-1, 1)
    loss = cross_validation.difference(runs(*rows), ["train.dropout"], ("a",), ("b",), "val_loss")
    assert loss.low < -1


def test_one_fold_tells_no_difference():
    table = runs(("a", 0, 0, 0.9), ("b", 0, 0, 0.1))
    change = cross_validation.difference(table, ["train.dropout"], ("a",), ("b",))
    assert (change.value, change.count, change.distinguishable) == (pytest.approx(0.8), 1, False)


def test_a_mixture_of_runs_is_ranked_on_the_largest_fold_set():
    rows = [("a", 0, 0, 0.9), ("b", 0, 0, 0.5), ("b", 1, 0, 0.6), ("c", 2, 0, 0.7)]
    left = cross_validation.comparable(runs(*rows), ["train.dropout"])
    assert left[["train.dropout", "fold"]].values.tolist() == [["a", 0], ["b", 0], ["b", 1]]
    # Where all have one fold, the one that most have.
    rows = [("a", 1, 0, 0.9), ("b", 0, 0, 0.5), ("c", 0, 0, 0.6)]
    left = cross_validation.comparable(runs(*rows), ["train.dropout"])
    assert left["train.dropout"].tolist() == ["b", "c"]
