"""Every command of docs/compare.md runs, in the order in which it stands there."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
from project import ROOT, Project

TEXT = (ROOT / "docs" / "compare.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = "".join(BLOCKS).splitlines()


@pytest.fixture(scope="module")
def outputs(finished, tmp_path_factory):
    """Command -> what it printed."""
    folder = tmp_path_factory.mktemp("compare") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = Project(folder)
    return {command: _printed(project, shlex.split(command)) for command in COMMANDS}


def _printed(project, words):
    if words[0] != "trackbed":
        return project.run(*words)
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project.folder,
        env=project.environment | {"PYTHONPATH": "stages"},
        capture_output=True,
        text=True,
        check=False,
    )
    # Two epochs less well trained may fail the gate, and that is an answer.
    assert done.returncode in ({0, 1} if words[1] == "gate" else {0}), done.stderr
    return done.stdout


def test_there_are_commands_for_all_that_the_document_tells(outputs):
    assert [command.split()[1] for command in outputs] == [
        *("exp", "exp", "params", "metrics", "plots", "compare", "gate")
    ]


def test_they_show_what_changed(outputs):
    _, shown, params, metrics, plots, compared, gate = outputs.values()
    assert "lower" in shown
    assert "train.learning_rate" in params
    assert "macro_f1" in metrics
    assert "dvc_plots/index.html" in plots
    assert "95 % interval" in compared
    assert "fixed" in compared
    assert "comparison.html" in compared
    assert gate.splitlines()[-1].startswith(("passed:", "FAILED:"))
