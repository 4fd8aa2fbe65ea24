import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from trackbed.judging import robustness


def test_the_table_has_the_clean_images_first_and_agrees_with_scikit_learn():
    random = np.random.default_rng(0)
    labels, clean = np.arange(90) % 3, np.arange(90) % 3
    spoiled = [("noise", 1, np.where(random.random(90) < 0.3, 0, labels))]
    spoiled += [("noise", 2, np.where(random.random(90) < 0.8, 0, labels))]
    table = robustness.table(labels, clean, spoiled, 3)
    assert table.iloc[0].tolist() == ["none", 0, 1.0, 1.0]
    for row, (name, grade, said) in zip(table.iloc[1:].itertuples(), spoiled, strict=True):
        assert (row.corruption, row.grade) == (name, grade)
        assert row.macro_f1 == pytest.approx(f1_score(labels, said, average="macro"))
        assert row.accuracy == pytest.approx(accuracy_score(labels, said))
    mean = np.mean([accuracy_score(labels, said) for *_, said in spoiled])
    assert robustness.mean_accuracy(table) == {"corrupted_accuracy": pytest.approx(mean)}


def test_without_corruptions_the_clean_row_is_there_and_no_mean():
    table = robustness.table(np.arange(4) % 2, np.zeros(4, int), [], 2)
    assert table[["corruption", "grade", "accuracy"]].values.tolist() == [["none", 0, 0.5]]
    assert robustness.mean_accuracy(table) == {}
