import itertools
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
    names = loaded(classes="[NO, ON, '012', '1e3', 'null', 2024-01-01, 7]").classes
    assert names == ["NO", "ON", "012", "1e3", "null", "2024-01-01", "7"]


# Ways to write values, in DVC's YAML some of them the same.
WRITTEN = "1.10 1.1 012 0o14 0x10 16 12 12.0 1_000 1000 1e3 1E3 yes on NO y 0.0 -0 00000 0b11 3"
WRITTEN += " 1e-3 0.001 .5 0.5 5. 5 +5 2026-01-01 2026-1-1 1:30 ~ null Null 1.5.2 0777 777 08 8"
WRITTEN += " inf nan 1,5 1e 0x 0o9 -.5 -0.5 123456789012345678901234 True true FALSE false A a"


def test_text_is_the_same_where_dvc_sees_no_change():
    from dvc.utils.serialize import parse_yaml

    texts = WRITTEN.split()
    for first, second in itertools.combinations(texts, 2):
        values = [parse_yaml(f"a: {text}", "params.yaml")["a"] for text in (first, second)]
        same = params.same_text(first) == params.same_text(second)
        # Python, and so DVC, takes 1 for true; no type of ours takes true for a number.
        kinds = [isinstance(value, bool) for value in values]
        equal = values[0] == values[1] and kinds[0] == kinds[1]
        assert same == equal, (first, second)


class Texts(params.Section):
    title: str
    names: Maybe[list[str]] = None
    parts: dict[str, str] = Field(default_factory=dict)
    fold: int = 0
    rate: float = 0.1
    resume: bool = False


def texts(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(f"texts: {{{text}}}\n")
    return params.load("texts", Texts, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: 1.10", "texts.title: must be text, but DVC reads 1.10 without quotes as 1.1"),
        ("title: 1.1", "Write '1.1', with quotes."),
        ("title: true", "texts.title: must be text"),
        ("title: ~", "texts.title: must be text, but DVC reads ~ without quotes as null"),
        ("title:", "texts.title: must be text, but DVC reads nothing without quotes as null"),
        ("title: 2_026", "reads 2_026 without quotes as 2026"),
        ("title: a, names: [7, 007]", "texts.names.1: must be text, but DVC reads 007"),
        ("title: a, names: [1.0]", "texts.names.0: must be text, but DVC reads 1.0"),
        ("title: a, parts: {01: train}", "texts.parts: must be text, but DVC reads 01"),
        ("title: a, parts: {b: 1e3}", "texts.parts.b: must be text, but DVC reads 1e3"),
        ("title: a, fold: false", "texts.fold: must be a whole number, got false."),
        ("title: a, fold: 1.5", "texts.fold: must be a whole number, got 1.5."),
        ("title: a, fold: null", "texts.fold: must be a whole number, got null."),
        ("title: a, fold: 2026-01-01", "texts.fold: must be a whole number, got 2026-01-01."),
        ("title: a, rate: true", "texts.rate: must be a number, got true."),
        ("title: a, rate: '0,5'", "texts.rate: must be a number, got 0,5."),
        ("title: a, rate: .inf", "texts.rate: must be a number, got .inf."),
        ("title: a, resume: 2", "texts.resume: must be true or false, got 2."),
        ("title: a, title: b", "the key 'title' comes twice"),
    ],
)
def test_what_dvc_may_take_for_another_value_is_refused(tmp_path, text, message):
    with pytest.raises(UserError) as raised:
        texts(tmp_path, text)
    assert message in str(raised.value)


def test_quoted_text_stays_as_it_is(tmp_path):
    found = texts(tmp_path, "title: '1.10', names: ['007', \"true\", ~a], parts: {'01': '~'}")
    assert (found.title, found.names, found.parts) == ("1.10", ["007", "true", "~a"], {"01": "~"})


@pytest.mark.parametrize("fold", ["12", "012", "0xc", "0o14", "12.0", "1.2e1", "'12'", "+12"])
def test_every_way_to_write_a_whole_number_gives_it(tmp_path, fold):
    assert texts(tmp_path, f"title: a, fold: {fold}").fold == 12


@pytest.mark.parametrize("rate", ["0.001", "1e-3", "1E-03", ".001", "1.0e-3", "'0.001'", "0.0_01"])
def test_every_way_to_write_a_number_gives_it(tmp_path, rate):
    assert texts(tmp_path, f"title: a, rate: {rate}").rate == 0.001


@pytest.mark.parametrize("yes", ["true", "True", "TRUE", "1", "1.0", "yes", "on", "'true'"])
def test_every_way_to_write_true_gives_it(tmp_path, yes):
    assert texts(tmp_path, f"title: a, resume: {yes}").resume is True


def test_values_can_be_shared_by_an_anchor(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("shared: &base {fold: 3, rate: 1e-3}\ntexts:\n  <<: *base\n  title: a\n")
    found = params.load("texts", Texts, path)
    assert (found.fold, found.rate) == (3, 0.001)
    assert params.sections(path)["texts"] == {"fold": "3", "rate": "0.001", "title": "a"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": "-0.001"}, "example.learning_rate: must be above 0, got -0.001."),
        ({"learning_rate": "fast"}, "example.learning_rate: must be a number, got fast."),
        ({"learning_rate": "''"}, "example.learning_rate: must be a number, got nothing."),
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
