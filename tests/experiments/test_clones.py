"""Copies of a repository and processes in them; whole sweeps are in test_launcher."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import sweeping

from trackbed.experiments import clones
from trackbed.experiments.clones import Clone
from trackbed.integrity import dvc_repo, git
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.operating_system import STOP_SIGNALS


def test_a_copy_is_brought_back_to_its_commit(tmp_path, monkeypatch):
    project = sweeping.create(tmp_path / "project")
    project.run("dvc", "config", "--local", "core.checksum_jobs", "1")
    monkeypatch.chdir(project.folder)
    copy = Clone(tmp_path / "copy", git.commit())
    copy.prepare(clean=False)
    params = copy.workspace / "params.yaml"
    assert params.read_text() == (project.folder / "params.yaml").read_text()
    settings = (copy.workspace / ".dvc/config.local").read_text()
    assert str(project.folder / ".dvc/cache") in settings
    assert "checksum_jobs = 1" in settings

    params.write_text("changed")
    (copy.workspace / "new.txt").touch()
    (copy.workspace / "data/evaluation").mkdir(parents=True)  # ignored by git
    copy.prepare()
    assert params.read_text() == (project.folder / "params.yaml").read_text()
    assert not (copy.workspace / "new.txt").exists()
    assert (copy.workspace / "data/evaluation").exists()
    assert not copy.collect("nothing")
    copy.prepare(clean=False)
    assert not (copy.workspace / "data/evaluation").exists()


def test_a_project_below_a_folder_with_an_odd_name_is_copied(tmp_path, monkeypatch):
    top = tmp_path / "mül ler #1 50% [x]"
    project = sweeping.create(top / "inner *", top)
    monkeypatch.chdir(project.folder)
    copy = Clone(tmp_path / "copy", git.commit())
    copy.prepare(clean=False)
    assert copy.workspace == tmp_path / "copy/inner *"
    with dvc_repo.repository() as repo:
        cache = repo.cache.local_cache_dir
    (copy.workspace / ".dvc/.gitignore").write_text("")
    monkeypatch.chdir(copy.workspace)
    with dvc_repo.repository() as repo:
        assert repo.cache.local_cache_dir == cache
    assert git.uncommitted()[0] == []


def test_a_process_that_ignores_term_is_killed(tmp_path, monkeypatch):
    stubborn = "trap '' TERM; echo ready; sh -c \"trap '' TERM; sleep 1000\" & wait; sleep 1000"
    process = subprocess.Popen(
        ["sh", "-c", stubborn], cwd=tmp_path, stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    monkeypatch.setattr(clones, "GRACE_SECONDS", 0.5)
    clones.end_processes([process])
    process.stdout.close()
    assert process.poll() == -signal.SIGKILL
    assert sweeping.processes(tmp_path) == []


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_sets_the_event_and_handlers_come_back(number):
    stop, before = threading.Event(), signal.getsignal(number)
    with clones.stop_on_signals(stop):
        os.kill(os.getpid(), number)
        assert stop.wait(5)
    assert signal.getsignal(number) == before


def test_a_second_sweep_is_refused_until_the_first_ends(tmp_path):
    hold = (
        "import sys, pathlib; from trackbed.experiments import clones\n"
        "with clones.only_sweep(pathlib.Path(sys.argv[1])): print('held', flush=True); input()"
    )
    environment = os.environ | {"PYTHONPATH": str(sweeping.ROOT / "stages")}
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match="Another `trackbed sweep` is running"):
            clones.only_sweep(tmp_path).__enter__()
        first.kill()
    with clones.only_sweep(tmp_path):
        pass
