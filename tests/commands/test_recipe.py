import subprocess
from pathlib import Path

import pytest
import yaml

from trackbed import cli
from trackbed.commands.recipe import with_recipe
from trackbed.pipeline.errors import UserError

BASE = """\
# All keys.

data:
  source: data/sample  # a folder
  # What groups are.
  group: null

train:
  # In this order.
  augment:
    - {name: flip, mode: horizontal}
    - {name: contrast, factor: 0.3}
  # Of images.
  batch: 32
"""
RECIPE = """\
# Signs from scratch.
# command: trackbed recipe signs
# score: 0.95

data:
  group: '^(\\d+)_'

train:
  augment: []
"""
RESULT = """\
# Signs from scratch.
# command: trackbed recipe signs
# score: 0.95

# All keys.

data:
  source: data/sample  # a folder
  # What groups are.
  group: '^(\\d+)_'

train:
  # In this order.
  augment: []
  # Of images.
  batch: 32
"""
OTHER = "# Large batches.\n# command: trackbed recipe large\n\ntrain:\n  batch: 64\n"
PATH = Path("recipes/signs.yaml")


def git(*arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(BASE)
    (tmp_path / "recipes").mkdir()
    (tmp_path / PATH).write_text(RECIPE)
    (tmp_path / "recipes" / "large.yaml").write_text(OTHER)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    return tmp_path / "params.yaml"


def error(capsys, *arguments):
    assert cli.main(["recipe", *arguments]) == 2
    return capsys.readouterr().err


def test_values_and_header_change_and_comments_stay():
    assert with_recipe(BASE, RECIPE, PATH) == RESULT


def test_a_list_takes_the_place_of_a_value_and_of_a_list():
    recipe = "train:\n  augment:\n    - {name: hue, factor: 0.1}\n  batch:\n    - 1\n    - 2\n"
    text = with_recipe(BASE, recipe, PATH)
    assert yaml.safe_load(text)["train"] == {
        "augment": [{"name": "hue", "factor": 0.1}],
        "batch": [1, 2],
    }
    assert "  # Of images.\n" in text


def test_the_same_recipe_again_changes_nothing():
    assert with_recipe(RESULT, RECIPE, PATH) == RESULT


def test_the_line_that_names_the_schema_stays_the_first():
    line = "# yaml-language-server: $schema=params.schema.json\n"
    assert with_recipe(line + BASE, RECIPE, PATH) == line + RESULT
    assert with_recipe(line + RESULT, RECIPE, PATH) == line + RESULT


@pytest.mark.parametrize("recipe", ["train:\n  btach: 1\n", "trian:\n  btach: 1\n"])
def test_an_unknown_key_is_an_error(recipe):
    with pytest.raises(UserError, match=r"recipes/signs.yaml, .*no key 'btach'"):
        with_recipe(BASE, recipe, PATH)


def test_the_command_writes_params(project, capsys):
    assert cli.main(["recipe", "signs"]) == 0
    assert project.read_text() == RESULT
    assert "params.yaml: now has the values of recipes/signs.yaml" in capsys.readouterr().out


def test_without_a_name_recipes_are_listed(project, capsys):
    assert cli.main(["recipe"]) == 0
    assert capsys.readouterr().out == "large  Large batches.\nsigns  Signs from scratch.\n"
    assert project.read_text() == BASE


def test_an_unknown_name_is_an_error_with_a_suggestion(project, capsys):
    assert error(capsys, "sings") == "trackbed: no recipe 'sings'. Did you mean 'signs'?\n"
    assert error(capsys, "xyz").endswith("no recipe 'xyz'. Known: large, signs.\n")


def test_a_folder_without_recipes_is_an_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "Run from the root of the repository." in error(capsys)


def test_uncommitted_changes_stay_unless_forced(project, capsys):
    project.write_text(BASE.replace("32", "16"))
    assert "uncommitted changes" in error(capsys, "signs")
    assert yaml.safe_load(project.read_text())["train"]["batch"] == 16
    assert cli.main(["recipe", "signs", "--force"]) == 0
    assert project.read_text() == RESULT


def test_staged_changes_are_uncommitted_too(project, capsys):
    project.write_text(BASE.replace("32", "16"))
    git("add", ".")
    assert "uncommitted changes" in error(capsys, "signs")


def test_recipes_are_not_mixed(project, capsys):
    cli.main(["recipe", "signs"])
    git("commit", "-qam", "signs")
    assert "at HEAD it has the values of recipe 'signs'" in error(capsys, "large")
    assert project.read_text() == RESULT
    assert cli.main(["recipe", "large", "--base", "HEAD~1"]) == 0
    values = yaml.safe_load(project.read_text())
    assert (values["data"]["group"], values["train"]["batch"]) == (None, 64)


def test_a_base_without_params_is_an_error(project, capsys):
    git("rm", "-q", "--cached", "params.yaml")
    git("commit", "-qm", "none")
    assert "commit HEAD has no such file" in error(capsys, "signs", "--force")
