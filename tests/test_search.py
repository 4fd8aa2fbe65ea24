"""`trackbed sweep --search`, with the real dvc."""

import re

import pandas as pd
import pytest
import sweeping

SPACE = ("-S", "train.learning_rate=1e-4..1e-1:log", "-S", "train.units=32..64")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    pytest.importorskip("optuna")
    return sweeping.create(tmp_path_factory.mktemp("search"))


def test_it_tries_so_many_settings_and_goes_on_where_it_was(project):
    done = sweeping.trackbed(project, "sweep", "--search", 2, *SPACE)
    assert done.returncode == 0, done.stderr
    assert "2 settings, 2 runs" in done.stdout
    table = pd.read_csv(project.folder / "sweeps/sweep/table.csv")
    assert table["train.learning_rate"].between(1e-4, 1e-1).all()
    assert table["train.units"].between(32, 64).all()
    again = sweeping.trackbed(project, "sweep", "--search", 3, *SPACE)
    assert again.stdout.count("not run again: ") == 2
    assert "3 settings, 3 runs" in again.stdout
    assert re.search(r"\[1/1\] sweep-", again.stdout)


def test_both_ends_are_checked_before_anything_starts(project):
    done = sweeping.trackbed(project, "sweep", "--search", 2, "-S", "train.dropout=0..1")
    assert done.returncode == 2
    assert "train.dropout: must be below 1, got 1" in done.stderr


def test_without_optuna_it_says_how_to_get_it(project, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'optuna':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    path = project.environment["PYTHONPATH"]
    project.environment["PYTHONPATH"] = f"{tmp_path}:{path}"
    try:
        done = sweeping.trackbed(project, "sweep", "--search", 2, *SPACE)
    finally:
        project.environment["PYTHONPATH"] = path
    assert done.returncode == 2
    assert "--search: needs Optuna, which is not installed. Run `make search`." in done.stderr
