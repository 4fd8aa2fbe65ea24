"""Experiments of several commits; the references are made by git, as DVC makes them."""

import json

import pytest
from project import Project

from trackbed.experiments import lineage


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = Project(tmp_path)
    project.run("git", "init", "-q", "-b", "main")
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/train.py").write_text("1")
    monkeypatch.chdir(tmp_path)
    add_params(project, 0.1)
    return project


def add_params(project, dropout):
    (project.folder / "params.yaml").write_text(f"train: {{dropout: {dropout}, fold: 0, seed: 0}}")
    project.commit()


def head(project):
    return project.run("git", "rev-parse", "HEAD").strip()


def add_experiment(project, name, dropout, score=0.5):
    """A commit beside HEAD under the reference of an experiment; its hash."""
    base = head(project)
    (project.folder / "params.yaml").write_text(f"train: {{dropout: {dropout}, fold: 0, seed: 0}}")
    folder = project.folder / "metrics/train"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"best": {"val_macro_f1": score}})
    (folder / "metrics.json").write_text(text)
    project.commit("experiment")
    made = head(project)
    project.run("git", "update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", made)
    project.run("git", "reset", "-q", "--hard", base)
    return made


def change(project, path, text="x"):
    (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (project.folder / path).write_text(text)
    project.commit("change")
    return head(project)


def names(found):
    return [one.name for several in found.values() for one in several]


@pytest.mark.parametrize(
    "path", ["README.md", ".dvc/config", "params.yaml", "dvc.lock", "docs/x.md", "metrics/x.json"]
)
def test_commits_of_what_no_run_reads_keep_the_experiments(project, path):
    base = head(project)
    add_experiment(project, "good", 0.2)
    now = change(project, path)
    assert lineage.with_same_source(now) == [now, base]
    found, note = lineage.to_rank(now, alone=False)
    assert names(found) == ["good"]
    assert note.endswith(f"with the code and data of {now[:7]}: 1 of {base[:7]}.")
    assert lineage.to_rank(now, alone=True) == ({now: []}, "")


@pytest.mark.parametrize("path", ["stages/train.py", "dvc.yaml", "data/raw.dvc", ".dvcignore"])
def test_after_a_change_of_code_or_data_those_before_are_named(project, path):
    base = head(project)
    add_experiment(project, "good", 0.2)
    change(project, "README.md")
    now = change(project, path)
    found, note = lineage.to_rank(now, alone=False)
    assert names(found) == ["good"]
    assert f"Ranked are those of {base[:7]}; since then code or data have changed: {path}." in note


def test_experiments_of_several_commits_count_together(project):
    base = head(project)
    add_experiment(project, "first", 0.2)
    add_experiment(project, "same_name", 0.3)
    now = change(project, "README.md")
    add_experiment(project, "same_name", 0.4)
    add_experiment(project, "repeated", 0.2)
    found, note = lineage.to_rank(now, alone=False)
    assert [names({commit: found[commit]}) for commit in (now, base)] == [
        ["repeated", "same_name"],
        [f"same_name@{base[:7]}"],
    ]
    assert note.endswith(f": 2 of {now[:7]}, 1 of {base[:7]}.")


def test_an_amended_commit_keeps_them_too(project):
    base = change(project, "README.md")
    add_experiment(project, "good", 0.2)
    (project.folder / "README.md").write_text("better")
    project.run("git", "commit", "-q", "-a", "--amend", "-m", "amended")
    assert lineage.with_same_source(head(project)) == [head(project), base]
    assert names(lineage.to_rank(head(project), alone=False)[0]) == ["good"]


def test_without_any_experiment_nothing_is_found(project):
    project.run("git", "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")  # DVC's own
    assert lineage.bases() == []
    assert lineage.to_rank(head(project), alone=False) == ({}, "")


def test_other_code_of_an_experiment_is_a_parameter(project):
    base = head(project)
    add_experiment(project, "plain", 0.2)
    (project.folder / "stages/train.py").write_text("2")
    add_experiment(project, "edited", 0.2)
    (several,) = lineage.to_rank(base, alone=False)[0].values()
    assert len({one.params["code"] for one in several}) == 2


def test_experiments_of_a_commit_that_is_not_here_are_left_out(project):
    add_experiment(project, "good", 0.2)
    missing = "ab" + "c" * 38
    project.run("git", "update-ref", f"refs/exps/{missing[:2]}/{missing[2:]}/pulled", "HEAD")
    assert lineage.bases() == [head(project)]
    assert names(lineage.to_rank(head(project), alone=False)[0]) == ["good"]
