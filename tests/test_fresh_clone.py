"""What a clone computes is what was committed: the same dvc.lock, and nothing for git to show."""

import shutil
import subprocess
import sys

import pytest
from project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clones(finished, tmp_path_factory):
    """Two clones of a committed run, both computed anew: no cache, nothing but the pictures."""
    folders = [tmp_path_factory.mktemp("clones") / name for name in ("first", "second")]
    for folder in folders:
        finished.run("git", "clone", "-q", finished.folder, folder)
        shutil.copytree(finished.folder / "data/raw", folder / "data/raw", dirs_exist_ok=True)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro"],
            cwd=folder,
            env=finished.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder in folders
    ]
    for process in running:
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert "Running stage 'train'" in output
    return [Project(folder) for folder in folders]


def test_two_fresh_clones_end_with_the_committed_lock(finished, clones):
    lock = (finished.folder / "dvc.lock").read_bytes()
    assert [(clone.folder / "dvc.lock").read_bytes() for clone in clones] == [lock, lock]


def test_git_has_nothing_to_show_after_a_run(finished, clones):
    for project in (finished, *clones):
        assert project.run("git", "status", "--porcelain") == ""


def test_times_and_machine_are_there_all_the_same(clones):
    for clone in clones:
        context = (clone.folder / "plots/report_context.js").read_text()
        assert "for 2 epochs: median" in context
        assert all(f">{stage}</th>" in context for stage in ("build_tfrecord", "train", "evaluate"))


def test_what_differs_from_run_to_run_is_ignored(clones):
    ignored = clones[0].run("git", "status", "--porcelain", "--ignored").split()
    assert {"logs/", "plots/report_context.js"} <= set(ignored)
