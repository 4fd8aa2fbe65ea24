import pytest

from trackbed.experiments import param_values


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


def test_nothing_is_written_as_null():
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


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        ["0.1", "a"],
        [{"name": "flip", "factor": ["-0.1", "1"]}],
        "0.2",
        "",
        "true",
        "a, b",
        "[a-z]+",
    ],
)
def test_a_short_text_gives_its_value_back(value):
    text = param_values.short_text(value)
    assert "\n" not in text
    assert param_values.parsed_text(text) == param_values.typed(value)
