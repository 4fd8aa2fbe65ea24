import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from trackbed.evaluation import label_errors
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError


def table(probabilities, labels, fold=0):
    """Out-of-fold predictions for classes a, b, ..."""
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    names = [chr(ord("a") + place) for place in range(probabilities.shape[1])]
    count = len(labels)
    rows = pd.DataFrame(
        {"record": np.arange(count), "filename": [f"{n}.png" for n in range(count)]}
    )
    rows["group"], rows["label"] = rows["filename"], labels
    return tables.predictions(rows, names, probabilities).assign(fold=fold)


def noisy(images=500, classes=4, seed=0):
    """Random answers that mostly agree with random labels."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, images)
    logits = draw.normal(0, 1.5, (images, classes))
    logits[np.arange(images), labels] += 2
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), labels


def test_ranking_by_hand_with_a_tie():
    given = [0, 1, 2, 0]
    shares = [[0.1, 0.7, 0.2], [0.3, 0.4, 0.3], [0.8, 0.1, 0.1], [0.9, 0.05, 0.05]]
    found = label_errors.ranked(table(shares, given, fold=3))
    assert list(found.columns) == [
        *("rank", "record", "filename", "group", "given", "suggested"),
        *("self_confidence", "confidence", "fold"),
    ]
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["record"].tolist() == [0, 2, 1, 3]  # records 0 and 2 have 0.1 both
    assert found["given"].tolist() == ["a", "c", "b", "a"]
    assert found["suggested"].tolist() == ["b", "a", "b", "a"]
    assert found["self_confidence"].tolist() == [0.1, 0.1, 0.4, 0.9]
    assert found["confidence"].tolist() == [0.7, 0.8, 0.4, 0.9]
    assert set(found["fold"]) == {3}
    assert label_errors.doubted(found)["record"].tolist() == [0, 2]


def test_the_models_of_several_seeds_answer_by_their_mean():
    first, second = table([[0.9, 0.1], [0.2, 0.8]], [0, 0]), table([[0.3, 0.7], [0.4, 0.6]], [0, 0])
    mean = label_errors.averaged([one.drop(columns="fold") for one in (first, second)])
    np.testing.assert_allclose(mean[["p_a", "p_b"]], [[0.6, 0.4], [0.3, 0.7]])
    assert mean["predicted"].tolist() == ["a", "b"]
    np.testing.assert_allclose(mean["confidence"], [0.6, 0.7])


def test_pairs_are_counted_the_most_frequent_first():
    shares = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.2, 0.8]]
    counted = label_errors.pairs(label_errors.ranked(table(shares, [0, 1, 1, 1])))
    assert counted.to_numpy().tolist() == [["b", "a", 2], ["a", "b", 1]]


def test_changed_labels_of_real_digits_come_first():
    pictures, true = load_digits(return_X_y=True)
    draw = np.random.default_rng(0)
    changed = draw.choice(len(true), 90, replace=False)  # 5 %
    given = true.copy()
    given[changed] = (true[changed] + draw.integers(1, 10, 90)) % 10
    shares = cross_val_predict(
        KNeighborsClassifier(10), pictures, given, cv=5, method="predict_proba"
    )
    found = label_errors.ranked(table(shares, given))
    assert np.isin(found["record"].head(90), changed).mean() > 0.8  # by chance: 0.05


@pytest.mark.parametrize("seed", range(3))
def test_the_scores_are_those_of_cleanlab(seed):
    rank = pytest.importorskip("cleanlab.rank")
    shares, given = noisy(seed=seed)
    found = label_errors.ranked(table(shares, given)).sort_values("record")
    expected = rank.get_label_quality_scores(given, shares, method="self_confidence")
    np.testing.assert_allclose(found["self_confidence"], expected)


def test_cleanlab_keeps_its_issues_in_its_own_order():
    filtering = pytest.importorskip("cleanlab.filter")
    shares, given = noisy()
    expected = filtering.find_label_issues(
        given, shares, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    found = label_errors.ranked(table(shares, given), by_cleanlab=True)
    assert 0 < len(found) < len(given)
    assert found["record"].tolist() == list(expected)
    assert found["rank"].tolist() == list(range(1, len(expected) + 1))


def test_without_cleanlab_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)  # as if it were not installed
    with pytest.raises(UserError, match=r"needs cleanlab, which is not installed\. Run `make susp"):
        label_errors.ranked(table([[0.9, 0.1]], [0]), by_cleanlab=True)
