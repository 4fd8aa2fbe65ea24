"""`trackbed update`: the files of a newer version are merged, and what the user changed stays."""

import shutil
import subprocess
import sys

import pytest
from project import ROOT, Project, draw

PACKAGE = ROOT / "stages/trackbed"


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """The root of a clone in which one line of params.yaml and one of a stage were changed."""
    root = tmp_path_factory.mktemp("newer")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in tracked:
        if name and not name.startswith(("tests/", "benchmarks/", "findings/")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    replace(root / "params.yaml", "  patience: 20\n", "  patience: 21\n")
    replace(root / "stages/report.py", "Write one page to read", "Write a page to read")
    replace(root / "pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    return root


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of the version in hand; do not change it."""
    folder = tmp_path_factory.mktemp("made")
    draw(folder / "pictures")
    project = Project(folder)
    run(project, ROOT, "new", "project", "--data", "pictures", "--link", "--group", "none")
    return Project(folder / "project")


@pytest.fixture
def project(made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def replace(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def run(project, root, *arguments, succeeds=True):
    """Output of a command of the package in a clone."""
    environment = project.environment
    project.environment = environment | {"PYTHONPATH": str(root / "stages")}
    try:
        return project.run(sys.executable, "-m", "trackbed", *arguments, succeeds=succeeds)
    finally:
        project.environment = environment


def test_new_lines_arrive_and_own_values_stay(project, newer):
    replace(project.folder / "params.yaml", "  dropout: 0.3\n", "  dropout: 0.4\n")
    (project.folder / "stages/trackbed/networks/tiny.py").write_text('"""Mine."""\n')
    project.commit("mine")
    text = run(project, newer, "update")
    assert text.startswith("Merge the files of trackbed 0.2.0: done.")
    params = (project.folder / "params.yaml").read_text("utf-8")
    assert "  patience: 21\n" in params
    assert "  dropout: 0.4\n" in params
    assert "  image_side: 32\n" in params
    assert "Write a page to read" in (project.folder / "stages/report.py").read_text("utf-8")
    assert (project.folder / "stages/trackbed/VERSION").read_text() == "0.2.0\n"
    assert (project.folder / "stages/trackbed/networks/tiny.py").exists()
    assert project.run("git", "status", "--porcelain") == ""
    again = run(project, newer, "update")
    assert again == "The project has the files of trackbed 0.2.0 already.\n"
    project.run("git", "reset", "--keep", "HEAD~1")
    assert project.run("git", "log", "-1", "--format=%s") == "mine\n"


def test_the_same_version_changes_nothing(project):
    before = project.run("git", "rev-parse", "HEAD")
    text = run(project, ROOT, "update")
    assert text == "The project has the files of trackbed 0.1.0 already.\n"
    assert project.run("git", "rev-parse", "HEAD") == before


def test_a_line_that_both_changed_is_a_conflict(project, newer):
    replace(project.folder / "params.yaml", "  patience: 20\n", "  patience: 5\n")
    project.commit("mine")
    text = run(project, newer, "update", succeeds=False)
    assert text.startswith("trackbed: conflicts in params.yaml: both you and trackbed changed")
    project.run("git", "merge", "--abort")
    assert "  patience: 5\n" in (project.folder / "params.yaml").read_text("utf-8")


def test_uncommitted_changes_are_not_merged_with(project, newer):
    replace(project.folder / "params.yaml", "  patience: 20\n", "  patience: 5\n")
    text = run(project, newer, "update", succeeds=False)
    assert text == "trackbed: params.yaml: has uncommitted changes. Commit them first.\n"


def test_elsewhere_there_is_nothing_to_update(tmp_path):
    text = run(Project(tmp_path), ROOT, "update", succeeds=False)
    assert text.endswith("no such file. Run in a project that `trackbed new` made.\n")
