import pytest

from trackbed import grid
from trackbed.problems import Problem


def test_every_combination_comes_once_the_last_key_fastest():
    found = grid.settings(["train.learning_rate=1e-3,1e-4", "train.dropout=0.2, 0.5"])
    assert [tuple(setting.values()) for setting in found] == [
        ("1e-3", "0.2"),
        ("1e-3", "0.5"),
        ("1e-4", "0.2"),
        ("1e-4", "0.5"),
    ]
    assert list(found[0]) == ["train.learning_rate", "train.dropout"]


def test_without_assignments_there_is_one_empty_setting():
    assert grid.settings([]) == [{}]


@pytest.mark.parametrize("wrong", ["dropout=1", "train.dropout", "train.=1", "train.dropout=1,,2"])
def test_anything_else_is_refused_with_an_example(wrong):
    with pytest.raises(Problem, match=r"must be section\.key=value.*such as"):
        grid.settings([wrong])


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(Problem, match=r"train\.dropout: given twice"):
        grid.settings(["train.dropout=1", "train.dropout=2"])
