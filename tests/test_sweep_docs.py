"""Every command of docs/sweep.md runs, in the order in which it stands there.

On a project whose training takes no time (sweeping.py), and smaller: of the values of a parameter
the first is taken, and the second too for the first parameter of a command without --folds; two
folds, one seed, one job; two trials of a search.
"""

import re
import shlex
import shutil

import pytest
import sweeping
from project import ROOT

DOCUMENT = ROOT / "docs" / "sweep.md"


def commands():
    text = DOCUMENT.read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def smaller(command):
    words = shlex.split(command)
    most = 1 if "--folds" in words else 2
    for place, word in enumerate(words[:-1]):
        value = words[place + 1]
        if word == "-S":
            key, _, listed = value.partition("=")
            words[place + 1] = f"{key}={','.join(listed.split(',')[:most])}"
            most = 1
        elif word in ("--folds", "--seeds"):
            words[place + 1] = "0" if word == "--seeds" or value == "0" else "0,1"
        elif word in ("--jobs", "--search"):
            words[place + 1] = {"--jobs": "1", "--search": "2"}[word]
    return words


def test_the_rule_by_which_commands_become_smaller():
    command = "trackbed sweep -S a.b=1,2,3 -S c.d=4,5 --folds all --seeds 0,1 --jobs 2"
    assert " ".join(smaller(command)) == (
        "trackbed sweep -S a.b=1 -S c.d=4 --folds 0,1 --seeds 0 --jobs 1"
    )
    command = "trackbed sweep -S a.b=1,2,3 -S c.d=4,5"
    assert " ".join(smaller(command)) == "trackbed sweep -S a.b=1,2 -S c.d=4"
    assert smaller("trackbed best --folds 0") == ["trackbed", "best", "--folds", "0"]


def test_every_command_of_the_document_runs(tmp_path):
    pytest.importorskip("optuna")
    project = sweeping.create(tmp_path)
    shutil.copytree(ROOT / "recipes", project.folder / "recipes")
    project.change(train={"learning_rate": 0.004, "dropout": 0.3})
    project.commit("recipes")
    assert len(commands()) >= 10
    for command in commands():
        words = smaller(command)
        if words[0] == "trackbed":
            done = sweeping.trackbed(project, *words[1:])
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        else:
            project.run(*words)
    assert project.run("git", "branch", "--list", "better")
    assert sorted(path.name for path in (project.folder / "sweeps").iterdir()) == [
        *("dropout", "folds", "search", "study", "sweep")
    ]


def test_the_document_names_every_option():
    from trackbed import cli

    text = DOCUMENT.read_text("utf-8")
    for command in ("sweep", "best"):
        parser = next(
            action.choices[command]
            for action in cli.parser()._actions
            if getattr(action, "choices", None) and command in action.choices
        )
        options = {name for action in parser._actions for name in action.option_strings}
        quiet = {"-h", "--help", "--rev", "--top"}
        assert not {name for name in options - quiet if name not in text}
