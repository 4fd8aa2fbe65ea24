import pytest

from trackbed.experiments import param_values
from trackbed.pipeline.errors import UserError


def test_every_combination_comes_once_the_last_key_fastest():
    found = param_values.grid(["train.learning_rate=1e-3,1e-4", "train.dropout=0.2, 0.5"])
    assert [tuple(setting.values()) for setting in found] == [
        ("1e-3", "0.2"),
        ("1e-3", "0.5"),
        ("1e-4", "0.2"),
        ("1e-4", "0.5"),
    ]
    assert list(found[0]) == ["train.learning_rate", "train.dropout"]


def test_without_assignments_there_is_one_empty_setting():
    assert param_values.grid([]) == [{}]


@pytest.mark.parametrize("wrong", ["dropout=1", "train.dropout", "train.=1", "train.dropout=1,,2"])
def test_anything_else_is_refused_with_an_example(wrong):
    with pytest.raises(UserError, match=r"must be section\.key=value.*such as"):
        param_values.grid([wrong])


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(UserError, match=r"train\.dropout: given twice"):
        param_values.grid(["train.dropout=1", "train.dropout=2"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1e-05", "0.00001"),
        ("1E-3", "0.001"),
        (".5", "0.50"),
        ("3", "3.0"),
        ("True", "true"),
        ("~", "null"),
        (["0.1", "1e1"], ["1e-1", "10"]),
        ({"name": "flip", "factor": "0.10"}, {"name": "flip", "factor": ".1"}),
    ],
)
def test_notations_of_one_value_are_equal(one, other):
    assert param_values.canonical(one) == param_values.canonical(other)


@pytest.mark.parametrize(
    ("one", "other"), [("012", "12"), ("NO", "false"), ("1_000", "1000"), ("0.1", "0.10000001")]
)
def test_values_that_only_look_alike_differ(one, other):
    assert param_values.canonical(one) != param_values.canonical(other)


def test_lists_are_parsed_and_written():
    assert param_values.parse_value("[]") == []
    assert param_values.short_text(param_values.parse_value("[{name: flip}]")) == "[{name: flip}]"
    assert param_values.short_text("") == "null"


def test_numbers_come_in_the_order_of_their_size_and_before_text():
    assert sorted(["b", "10", "9", "1e-05", "a"], key=param_values.sort_key) == [
        "1e-05",
        "9",
        "10",
        "a",
        "b",
    ]


def test_types_are_those_of_yaml_1_2():
    found = [param_values.typed(text) for text in ("32", "1e-05", "true", "", "no")]
    assert found == [32, 1e-5, True, None, "no"]
    assert isinstance(found[0], int)
