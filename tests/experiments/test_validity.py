"""Checks before a sweep; those of settings are in test_sweep and test_docs too."""

import pytest
import sweeping

from trackbed.experiments import validity
from trackbed.pipeline.errors import UserError


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return sweeping.create(tmp_path_factory.mktemp("validity"))


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("stages/new.py", "x", "would miss what is not tracked by git: stages/new.py"),
        ("recipes/mine.yaml", "x", "not tracked by git: recipes/mine.yaml"),
        ("data/extra.dvc", "x", "not tracked by git: data/extra.dvc"),
        ("stages/train.py", "x", "what is different from HEAD: stages/train.py"),
        ("params.yaml", "train: {}", "params.yaml: differs from HEAD (an interrupted"),
        ("data/sample/A/1.png", "x", "(`dvc add data/sample`)"),
    ],
)
def test_a_source_that_runs_would_miss_is_refused(project, monkeypatch, path, text, message):
    monkeypatch.chdir(project.folder)
    file = project.folder / path
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.write_text(text)
        with pytest.raises(UserError) as error:
            validity.check_workspace("data/sample")
    finally:
        file.unlink() if before is None else file.write_text(before)
    assert message in str(error.value)


def test_other_untracked_files_are_allowed(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    for name in ("notes.txt", "tests/test_x.py", "metrics/new.yaml"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("x")
    try:
        validity.check_workspace("data/sample")
    finally:
        project.run("git", "clean", "-fdq")


def test_a_fold_has_to_be_one_of_the_split():
    validity.check_fold(4, {"folds": "5"})
    with pytest.raises(UserError, match=r"train\.fold: must be below split\.folds \(5\), got 5"):
        validity.check_fold(5, {"folds": "5"})


@pytest.mark.parametrize("split", [{}, {"folds": "many"}, {"folds": "-1"}])
def test_the_number_of_folds_is_a_whole_number(split):
    with pytest.raises(UserError, match=r"split\.folds: must be a whole number"):
        validity.fold_count({"split": split})


def test_each_setting_is_checked_with_its_own_split():
    sections = {"split": {"folds": "2"}, "train": {}}
    with pytest.raises(UserError, match=r"train\.fold: unknown key"):
        validity.check_settings([{"train.fold": "3"}], sections)
