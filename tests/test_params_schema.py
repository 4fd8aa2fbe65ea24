"""params.schema.json: it fits params.yaml, and refuses what the stages refuse."""

import importlib.util
import json
from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from trackbed.commands.recipe import with_recipe
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "params.yaml").read_text("utf-8")
SCHEMA = json.loads((ROOT / "params.schema.json").read_text("utf-8"))
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))

RIGHT = [
    "data.classes=[0, 1, 2]",
    "data.classes=['007', NO]",
    "data.parts={holdout: val, later: ignore}",
    "data.white_level=4095",
    "split.folds=12.0",
    "train.learning_rate=1e-05",
    "train.unfreeze=30",
    "train.augment=[]",
    "train.augment=[{name: zoom, factor: 0.1}, {name: mixup, alpha: 0.4}]",
    "report.title=2026",
    "evaluate.corruptions=[blur, noise]",
]
WRONG = [
    "data.source=''",
    "data.classes=STONE",
    "data.classes=[1.5]",
    "data.max_rejects=1.1",
    "data.on_conflict=drop",
    "split.folds=1",
    "split.test_share=0",
    "split.seed=-1",
    "split.join_distance=17",
    "embed.engine=torch",
    "train.learning_rate=0",
    "train.learning_rate='0,001'",
    "train.class_weights=sometimes",
    "train.optimizer=adm",
    "train.epochs=2.5",
    "train.drop_out=0.5",
    "train.augment=[{name: flip, mode: diagonal}]",
    "train.augment=[{name: blurring}]",
    "train.augment=[{name: zoom, factor: 0.1, degrees: 3}]",
    "train.augment=[{name: zoom}]",
    "export.formats=[tensorrt]",
    "evaluate.calibrated=null",
    "report.gallery=201",
    "runtime.workers=-1",
    "gate.allowed_drop=2",
]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("params_schema", ROOT / ".ci/params_schema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models(script):
    return script.models()


def problems(text):
    """What the schema says of a file, as an editor does: places, of YAML 1.2."""
    found = Draft7Validator(SCHEMA).iter_errors(YAML(typ="safe").load(text))
    return [".".join(map(str, error.absolute_path)) for error in found]


def changed(assignment, folder):
    """params.yaml with another value, as `dvc exp run -S` writes it."""
    place, _, value = assignment.partition("=")
    section, _, key = place.partition(".")
    path = folder / "params.yaml"
    path.write_text(TEXT, "utf-8")
    with modify_yaml(path) as values:
        values[section][key] = YAML(typ="safe").load(value)
    return path, section


def test_the_schema_fits_the_models_and_the_comments(script, tmp_path, monkeypatch, capsys):
    assert script.main("--check") == 0
    monkeypatch.setattr(script, "FILE", tmp_path / "params.schema.json")
    assert script.main("--check") == 1
    assert "Run: make schema" in capsys.readouterr().err
    assert script.main() == 0
    assert json.loads(script.FILE.read_text("utf-8")) == SCHEMA


def test_the_schema_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)


def test_params_names_the_schema_and_every_recipe_fits():
    first = "# yaml-language-server: $schema=params.schema.json"
    assert problems(TEXT) == []
    for path in RECIPES:
        merged = with_recipe(TEXT, path.read_text("utf-8"), path)
        assert (merged.splitlines()[0], problems(merged)) == (first, []), path.name


def test_every_section_and_key_is_explained():
    for name, keys in YAML(typ="safe").load(TEXT).items():
        section = SCHEMA["properties"][name]
        assert section["description"], name
        for key, value in section["properties"].items():
            # A key of an older version is accepted, and not suggested.
            assert value["description"] if key in keys else value["deprecated"], key
    margin = SCHEMA["properties"]["data"]["properties"]["crop_margin"]
    assert margin["description"] == (
        "Margin around the manifest's crop boxes, as a share of the box's side; 0 or more."
    )


def test_bounds_and_choices_by_hand():
    train = SCHEMA["properties"]["train"]["properties"]
    assert train["optimizer"]["enum"] == ["adam", "adamw", "sgd"]
    assert (train["dropout"]["minimum"], train["dropout"]["exclusiveMaximum"]) == (0, 1)
    assert train["epochs"]["type"] == "integer"


@pytest.mark.parametrize("assignment", RIGHT)
def test_what_a_stage_accepts_the_schema_accepts(assignment, models, tmp_path):
    path, section = changed(assignment, tmp_path)
    params.load(section, models[section], path)
    text = path.read_text("utf-8")
    assert (text.splitlines()[0], problems(text)) == (TEXT.splitlines()[0], [])


@pytest.mark.parametrize("assignment", WRONG)
def test_what_the_schema_refuses_a_stage_refuses(assignment, models, tmp_path):
    path, section = changed(assignment, tmp_path)
    with pytest.raises(UserError):
        params.load(section, models[section], path)
    (place,) = {one.split(".")[0] for one in problems(path.read_text("utf-8"))}
    assert place == section


def test_a_missing_and_an_unknown_section_are_refused():
    assert problems(TEXT.replace("\nruntime:", "\nruntimes:")) == ["", ""]
