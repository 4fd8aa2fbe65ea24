"""The wheel: what it holds, and that an installed one makes a project that runs."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile

import pytest
from project import ROOT, Project, draw

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that the command of the README builds; skips where none can be built."""
    folder = tmp_path_factory.mktemp("wheel")
    text = (ROOT / "README.md").read_text("utf-8")
    (command,) = re.findall(r"^\$ (pip wheel .*?) +#", text, flags=re.M)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command.replace("$PWD", str(ROOT)))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "build dependencies" in done.stderr:
        pytest.skip(f"what builds a wheel cannot be installed here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    (path,) = (folder / "dist").iterdir()
    return path


def committed(*arguments):
    listing = ["git", "ls-tree", "-r", "--name-only", *arguments]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def test_it_holds_every_file_of_the_package_and_of_a_project(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    inside = "trackbed/project_files/"
    package = {name for name in names if name.startswith("trackbed/")}
    packed = {name.removeprefix(inside) for name in package if name.startswith(inside)}
    assert {n for n in package if not n.startswith(inside)} == committed("HEAD:stages", "trackbed/")
    assert packed <= committed("HEAD")
    assert {"dvc.yaml", "params.yaml", "LICENSE", "requirements.lock", ".ci/venv"} <= packed
    assert not any(name.startswith(("tests/", "metrics/", "benchmarks/")) for name in packed)
    assert not {"dvc.lock", "data/dvc.yaml", "requirements-dev.lock"} & packed


def test_it_is_a_small_download(wheel):
    assert wheel.stat().st_size < 2.5e6  # bytes


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A new environment with the wheel and the packages of this one; its folder of programs."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python"]
    command = [*pip, "install", "--quiet", "--no-deps", "--no-index", wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "bin/dvc").write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m dvc "$@"\n')
    (folder / "bin/dvc").chmod(0o755)
    return folder / "bin"


@pytest.fixture(scope="module")
def project(environment, tmp_path_factory):
    """A new project whose pipeline has run and whose results are committed."""
    folder = tmp_path_factory.mktemp("user")
    draw(folder / "Bilder für Gleise")
    project = Project(folder)
    path = f"{environment}{os.pathsep}{os.environ['PATH']}"
    project.environment = {
        name: value
        for name, value in (project.environment | {"PATH": path}).items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    project.output = project.run("trackbed", "new", "mein Projekt", "--data", "Bilder für Gleise")
    project.folder = folder / "mein Projekt"
    project.change(train={"epochs": 2}, data={"max_rejects": 0.1})
    project.run("dvc", "repro")
    project.commit("First results")
    return project


def test_the_first_run_ends_with_a_report_and_nothing_left_to_do(project):
    assert project.output.endswith(
        "  cd 'mein Projekt'\n  dvc repro              # trains, evaluates and reports\n"
        "  # then open plots/report.html, and keep the results:\n"
        "  git add -A && git commit -m 'First results'\n"
    )
    assert "<title>mein Projekt" in (project.folder / "plots/report.html").read_text("utf-8")
    assert project.run("dvc", "status") == "Data and pipelines are up to date.\n"
    assert project.run("git", "status", "--porcelain") == ""


def test_an_experiment_runs(project):
    project.run("dvc", "exp", "run", "-S", "train.dropout=0.4")
    table = project.run("dvc", "exp", "show", "--csv", "--only-changed")
    assert re.search(r"train\.dropout", table)
    assert "0.4" in table
    project.run("git", "checkout", ".")
    project.run("dvc", "checkout", "--force")


def test_the_program_runs_the_code_of_the_project(project):
    assert project.run("trackbed", "--version").startswith("trackbed 0.1.0")
    module = project.folder / "stages/trackbed/commands/recipe.py"
    text = module.read_text("utf-8")
    module.write_text(text.replace("titles = {", 'print("mine"); titles = {'), "utf-8")
    try:
        assert project.run("trackbed", "recipe").startswith("mine\n")
    finally:
        module.write_text(text, "utf-8")
