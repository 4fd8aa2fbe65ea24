from typing import Literal

import pytest
from pydantic import Field

from trackbed.networks import augmentation
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.params import Maybe


class Inner(params.Section):
    name: Literal["flip", "zoom"]


class Example(params.Section):
    learning_rate: float = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    epochs: int = Field(ge=1)
    shuffle: bool
    classes: Maybe[list[str]]
    steps: list[Inner] = Field(default_factory=list)


GOOD = {
    "learning_rate": "0.001",
    "dropout": "0.3",
    "epochs": "10",
    "shuffle": "true",
    "classes": "null",
}


@pytest.fixture
def loaded(tmp_path):
    def load(**changes):
        lines = [f"  {key}: {value}" for key, value in (GOOD | changes).items() if value]
        path = tmp_path / "params.yaml"
        path.write_text("example:\n" + "\n".join(lines) + "\n")
        return params.load("example", Example, path)

    return load


def test_values_have_the_types_of_the_model(loaded):
    assert loaded().model_dump() == {
        "learning_rate": 0.001,
        "dropout": 0.3,
        "epochs": 10,
        "shuffle": True,
        "classes": None,
        "steps": [],
    }


def test_the_float_that_dvc_writes_without_a_point_is_a_number(loaded):
    assert loaded(learning_rate="1e-05").learning_rate == 1e-5


def test_class_names_stay_text_whatever_yaml_thinks_of_them(loaded):
    names = loaded(classes="[NO, ON, 012, 1e3, 'null', 2024-01-01]").classes
    assert names == ["NO", "ON", "012", "1e3", "null", "2024-01-01"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": "-0.001"}, "example.learning_rate: must be above 0, got -0.001."),
        ({"learning_rate": "fast"}, "example.learning_rate: must be a number, got fast."),
        ({"learning_rate": "nan"}, "example.learning_rate: must be a finite number, got nan."),
        ({"dropout": "1"}, "example.dropout: must be below 1, got 1."),
        ({"epochs": "2.5"}, "example.epochs: must be a whole number, got 2.5."),
        ({"shuffle": "maybe"}, "example.shuffle: must be true or false, got maybe."),
        ({"classes": "A"}, "example.classes: must be a list, got A."),
        ({"drop_out": "0.1"}, "example: unknown key 'drop_out'. Did you mean 'dropout'?"),
        ({"epochs": ""}, "example: key 'epochs' is missing."),
        ({"steps": "[{name: spin}]"}, "example.steps.0.name: must be one of 'flip' or 'zoom', got"),
    ],
)
def test_an_error_names_file_key_rule_and_value(loaded, change, message):
    with pytest.raises(UserError) as raised:
        loaded(**change)
    assert f"params.yaml, {message}" in str(raised.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{name: spin}", "example.0: 'name' must be one of 'flip', 'rotation'"),
        ("{name: zoom, factor: 2}", "example.0.factor: must be below 1, got 2."),
        ("{name: zoom, factor: 0.1, speed: 2}", "example.augment.0: unknown key 'speed'."),
    ],
)
def test_an_error_in_a_list_of_changes_names_its_place(tmp_path, spec, message):
    class Changes(params.Section):
        augment: augmentation.Changes

    path = tmp_path / "params.yaml"
    path.write_text(f"example:\n  augment:\n    - {spec}\n")
    with pytest.raises(UserError) as raised:
        params.load("example", Changes, path)
    assert message.replace("example.0", "example.augment.0") in str(raised.value)


def test_all_errors_are_listed_at_once(loaded):
    with pytest.raises(UserError) as raised:
        loaded(learning_rate="0", epochs="0")
    assert str(raised.value).count("\n") == 1


def test_a_missing_section_is_named_with_its_keys(loaded, tmp_path):
    loaded()
    with pytest.raises(
        UserError, match=r"section 'train' is missing; it holds learning_rate, drop"
    ):
        params.load("train", Example, tmp_path / "params.yaml")


def test_a_missing_file_and_broken_yaml_are_refused(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(UserError, match="no such file"):
        params.load("example", Example, path)
    path.write_text("example: [1, 2")
    with pytest.raises(UserError, match="not valid YAML"):
        params.load("example", Example, path)
    path.write_text("just text")
    with pytest.raises(UserError, match="must hold sections"):
        params.load("example", Example, path)
