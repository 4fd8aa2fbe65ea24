"""Git as the package calls it, in a small repository below which a folder is the current one."""

import pytest
from project import Project

from trackbed.integrity import git
from trackbed.pipeline.errors import UserError


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Two commits; the current folder is `inner` of the repository."""
    (tmp_path / "inner").mkdir()
    project = Project(tmp_path)
    project.run("git", "init", "-q", "-b", "main")
    for number, content in enumerate(("first", "second\n\nwith lines")):
        (tmp_path / "inner/ä name.txt").write_text(content)
        (tmp_path / "outer.txt").write_text(content)
        project.commit(f"{number}")
    monkeypatch.chdir(tmp_path / "inner")
    return project


def test_the_place_of_the_current_folder(project):
    assert git.root() == project.folder
    assert git.prefix() == "inner/"
    assert git.commit() == project.run("git", "rev-parse", "HEAD").strip()


def test_the_files_of_commits_are_below_the_current_folder(project):
    first, second = git.commit("HEAD~1"), git.commit()
    wanted = [(first, "ä name.txt"), (second, "outer.txt"), (second, "ä name.txt"), (second, ".")]
    assert git.file_contents(wanted) == [b"first", None, b"second\n\nwith lines", None]
    assert git.file_contents([]) == []


def test_changed_and_uncommitted_paths(project):
    assert git.changed_paths("HEAD~1", "HEAD") == ["ä name.txt"]
    assert git.uncommitted() == ([], [])
    (project.folder / "inner/ä name.txt").write_text("changed")
    (project.folder / "inner/new").touch()
    (project.folder / "inner/ignored").touch()
    (project.folder / "inner/.gitignore").write_text("ignored\n")
    (project.folder / "outer new").touch()
    assert git.uncommitted() == ([".gitignore", "new"], ["ä name.txt"])


def test_references_below_a_prefix(project):
    git.run("update-ref", "refs/exps/ab/cd/one", "HEAD~1")
    assert git.references("refs/exps/ab/cd") == {"refs/exps/ab/cd/one": git.commit("HEAD~1")}
    assert git.references("refs/exps/00") == {}


def test_a_failure_has_the_message_of_git(project):
    with pytest.raises(UserError, match=r"^git rev-parse: fatal: Needed a single revision"):
        git.commit("nowhere")


def test_a_missing_git_is_an_error(project, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"git: no such program\. Install git\."):
        git.root()
