import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from trackbed.evaluation import metrics


@pytest.fixture
def random_case():
    random = np.random.default_rng(4)
    labels = random.integers(0, 6, 400)
    probabilities = random.dirichlet(np.ones(6), 400) + 0.4 * np.eye(6)[labels]
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_per_class_by_hand():
    matrix = np.array([[8, 2, 0], [1, 4, 0], [3, 0, 2]])
    first = metrics.per_class(matrix).iloc[0]
    # class 0 against the rest: 8 hits, 2 misses, 4 false alarms, 6 rightly left alone
    assert first[["support", *metrics.COUNTS[1:]]].tolist() == [10, 8, 4, 2, 6]
    assert first["precision"] == 8 / 12
    assert first["recall"] == 8 / 10
    assert first["specificity"] == 6 / 10
    assert first["f1"] == pytest.approx(2 * (8 / 12) * 0.8 / (8 / 12 + 0.8))
    assert first["accuracy"] == 14 / 20
    assert first["type_1_error"] == pytest.approx(4 / 10)
    assert first["type_2_error"] == pytest.approx(2 / 10)


def test_per_class_and_averages_agree_with_scikit_learn(random_case):
    labels, probabilities = random_case
    predicted = probabilities.argmax(axis=1)
    table = metrics.per_class(metrics.confusion(labels, predicted, 6))
    theirs = sklearn_metrics.precision_recall_fscore_support(labels, predicted)
    for name, expected in zip(("precision", "recall", "f1", "support"), theirs, strict=True):
        np.testing.assert_allclose(table[name], expected)
    mean = metrics.averages(table)
    for row, average in (("macro avg", "macro"), ("weighted avg", "weighted")):
        expected = sklearn_metrics.precision_recall_fscore_support(
            labels, predicted, average=average
        )
        np.testing.assert_allclose(mean.loc[row, ["precision", "recall", "f1"]], expected[:3])


def test_counts_loss_and_default_f1_are_scikit_learns_to_the_digit():
    random = np.random.default_rng(1)
    for count, classes in ((1, 2), (7, 3), (130, 5), (999, 43)):
        labels = random.integers(0, classes, count)
        logits = random.normal(size=(count, classes), scale=random.choice([1, 40]))
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        probabilities = probabilities.astype(np.float32)
        predicted, every = probabilities.argmax(axis=1), np.arange(classes)
        matrix = sklearn_metrics.confusion_matrix(labels, predicted, labels=every)
        assert np.array_equal(metrics.confusion(labels, predicted, classes), matrix)
        loss = sklearn_metrics.log_loss(labels, probabilities, labels=every)
        assert metrics.loss(probabilities, labels) == loss
        f1 = sklearn_metrics.f1_score(labels, predicted, average="macro", zero_division=0)
        assert metrics.scikit_learn_macro_f1(labels, predicted) == f1


def test_a_class_without_images_is_left_out_of_averages():
    matrix = np.array([[5, 0, 1], [0, 4, 0], [0, 0, 0]])
    table = metrics.per_class(matrix)
    assert table.loc[2, ["recall", "f1", "type_2_error"]].isna().all()
    assert table.loc[2, "precision"] == 0  # its only call was wrong
    assert metrics.averages(table).loc["macro avg", "recall"] == pytest.approx((5 / 6 + 1) / 2)


def test_a_class_never_predicted_has_f1_0_and_no_precision():
    matrix = np.array([[5, 0], [3, 0]])
    table = metrics.per_class(matrix)
    assert np.isnan(table.loc[1, "precision"])
    assert table.loc[1, "f1"] == 0
    assert metrics.averages(table).loc["macro avg", "precision"] == (5 / 8) / 2


def test_top_k_by_hand_with_a_tie_at_the_edge():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])
    labels = np.array([1, 2])  # second most probable; tied for second
    assert metrics.top_k(probabilities, labels, k=1) == 0
    assert metrics.top_k(probabilities, labels, k=2) == 1


def test_top_k_agrees_with_scikit_learn(random_case):
    labels, probabilities = random_case
    for k in (1, 2, 5):
        expected = sklearn_metrics.top_k_accuracy_score(labels, probabilities, k=k)
        assert metrics.top_k(probabilities, labels, k) == expected


@pytest.mark.parametrize("k", [0, 4])
def test_top_k_refuses_a_k_beyond_the_classes(k):
    with pytest.raises(ValueError, match=f"Received k={k}"):
        metrics.top_k(np.full((1, 3), 1 / 3), np.array([0]), k)


def test_mean_confidence_of_right_and_wrong_answers_by_hand():
    probabilities, labels = np.array([[0.9, 0.1], [0.7, 0.3], [0.4, 0.6]]), np.array([0, 1, 1])
    assert metrics.mean_confidence(probabilities, labels, right=True) == pytest.approx(0.75)
    assert metrics.mean_confidence(probabilities, labels, right=False) == pytest.approx(0.7)


def test_mean_confidence_without_such_answers_is_undefined():
    certain = np.array([[0.9, 0.1]]), np.array([0])
    assert np.isnan(metrics.mean_confidence(*certain, right=False))


def test_overconfidence_is_mean_confidence_less_accuracy():
    found = metrics.overconfidence(np.array([[0.95, 0.05]] * 4), np.array([0, 0, 0, 1]))
    assert found == pytest.approx(0.95 - 0.75)


def test_macro_f1_agrees_with_scikit_learn():
    random = np.random.default_rng(1)
    for classes in (2, 7, 40):
        labels = random.integers(0, classes, 60)
        predicted = np.where(random.random(60) < 0.6, labels, random.integers(0, classes, 60))
        expected = sklearn_metrics.f1_score(
            labels, predicted, average="macro", labels=np.unique(labels)
        )
        assert metrics.macro_f1(labels, predicted, classes) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("predicted", "ours", "default"),
    [
        # A and B have 4 images each, C has none.
        ([0, 0, 0, 0, 1, 1, 1, 1], 1, 1),  # C absent from both
        ([0, 0, 0, 2, 1, 1, 1, 1], (6 / 7 + 1) / 2, (6 / 7 + 1) / 3),  # C predicted once
        ([2] * 8, 0, 0),
        ([0] * 8, (8 / 12 + 0) / 2, (8 / 12 + 0) / 2),  # B never found
    ],
)
def test_a_class_without_images_is_left_out_of_macro_f1(predicted, ours, default):
    labels, predicted = np.array([0] * 4 + [1] * 4), np.array(predicted)
    assert metrics.macro_f1(labels, predicted, 3) == pytest.approx(ours)
    assert metrics.scikit_learn_macro_f1(labels, predicted) == pytest.approx(default)


def test_mean_f1_leaves_out_classes_without_images():
    rows = np.array([[0.5, np.nan, 0.7], [1.0, 0.0, 0.5]])
    assert metrics.mean_f1(rows) == pytest.approx([0.6, 0.5])
    assert np.isnan(metrics.mean_f1(np.full(3, np.nan)))


def test_summary_has_classes_in_order_then_averages():
    bounds = np.array([[0.5, 0.9], [0.4, 1.0]])
    per_class = metrics.per_class(np.array([[3, 1], [0, 2]]))
    table = metrics.summary(per_class, ["b", "a"], bounds, (0.45, 0.95))
    assert table["f1_low"].tolist()[:3] == [0.5, 0.4, 0.45]
    assert table["f1_high"].tolist()[:3] == [0.9, 1.0, 0.95]
    assert pd.isna(table["f1_low"].iloc[3])
    assert table["class_name"].tolist() == ["b", "a", "macro avg", "weighted avg"]
    assert table["support"].tolist() == [4, 2, 6, 6]
    assert table["true_positive"].tolist()[:2] == [3, 2]
    assert pd.isna(table["true_positive"].iloc[2])
