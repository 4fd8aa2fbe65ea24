"""Runs in copies of the repository. The outputs of DVC are those of version 3.67."""

import fcntl
import signal
import threading
import time

import pytest
import sweeping

from trackbed.experiments import launcher

DIVERGED = """\
Reproducing experiment 'bad'
Running stage 'train':
> python stages/train.py
epoch 1/2  loss nan
train: the loss is not finite after epoch 1; lower train.learning_rate.
ERROR: failed to reproduce 'train': failed to run: python stages/train.py, exited with 1
"""
LOCKED = """\
ERROR: Unable to acquire lock. Most likely another DVC process is running or was terminated \
abruptly. Check the page <https://dvc.org/doc/user-guide/troubleshooting> for other possible \
reasons and to learn how to resolve this.
"""


def test_the_error_of_a_failed_stage_is_its_last_line():
    assert not launcher.is_race(DIVERGED)
    assert launcher.last_error(DIVERGED, 255) == (
        "train: the loss is not finite after epoch 1; lower train.learning_rate."
    )


def test_a_failed_stage_that_prints_of_a_lock_is_no_race():
    assert not launcher.is_race(DIVERGED.replace("loss is not finite", "database is locked"))


def test_a_lock_is_a_race():
    assert launcher.is_race(LOCKED)
    assert launcher.last_error(LOCKED, 255).startswith("ERROR: Unable to acquire lock")


def test_the_error_of_a_killed_or_silent_run():
    assert launcher.last_error("epoch 1/2\n", -9) == "ended by signal 9"
    assert launcher.last_error("", 3) == "exit code 3 without output"
    assert not launcher.is_race("epoch 1/2\n")


def test_an_error_of_dvc_itself_is_its_line():
    output = "Reproducing experiment 'x'\nERROR: output 'a' does not exist\n"
    assert launcher.last_error(output, 255) == "ERROR: output 'a' does not exist"


@pytest.fixture
def project(tmp_path):
    return sweeping.create(tmp_path)


def until(condition, seconds=60):
    """Wait for a condition; fails the test if it does not come about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def left_over(project):
    """What a sweep must not leave behind."""
    temporary = [path.name for path in (project.folder / ".dvc/tmp").glob("*track*")]
    references = project.run("git", "for-each-ref", "refs/exps/exec", "refs/exps/stash")
    locked = [path for path in (project.folder / ".dvc/tmp").rglob("*lock*") if path.is_file()]
    return (
        temporary,
        references,
        [path for path in locked if path.read_text().strip() not in ("", "{}")],
        project.run("git", "status", "--porcelain"),
        sweeping.processes(project.folder / ".dvc"),
    )


NOTHING = ([], "", [], "", [])


def experiments(project):
    return project.run("git", "for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps").split()


def test_an_interrupted_sweep_keeps_finished_runs(project):
    started = sweeping.started(
        project, "sweep", "-S", "train.patience=20,1000", "-S", "train.dropout=0,0.1", "--jobs", 3
    )
    logs = project.folder / "sweeps/sweep/logs"
    waiting = [f"sweep-dropout={value}_patience=1000.log" for value in ("0", "0.1")]
    try:
        until(
            lambda: (
                all(
                    (logs / name).exists() and "waiting" in (logs / name).read_text()
                    for name in waiting
                )
                and len(experiments(project)) == 2
            )
        )
    finally:
        started.send_signal(signal.SIGINT)
    output, errors = started.communicate(timeout=60)
    assert started.returncode == 130, output + errors
    assert "interrupted: 2 of 4 runs are finished and kept" in output
    assert "`trackbed sweep --summarise sweep` ranks what is finished" in output
    assert "Traceback" not in errors
    assert left_over(project) == NOTHING
    assert sorted(experiments(project)) == [
        "sweep-dropout=0.1_patience=20",
        "sweep-dropout=0_patience=20",
    ]


def test_failed_runs_are_listed_and_the_others_ranked(project):
    stale = project.folder / ".dvc/tmp/trackbed/0"  # as a killed sweep leaves it
    (stale / "stages").mkdir(parents=True)
    (stale / "params.yaml").write_text("broken: [")
    done = sweeping.trackbed(project, "sweep", "-S", "train.network=gtsrb,small_cnn")
    assert done.returncode == 1, done.stderr
    log = "sweeps/sweep/logs/sweep-network=gtsrb.log"
    error = "train: the loss is not finite after epoch 1; lower train.learning_rate."
    assert f"[1/2] FAILED sweep-network=gtsrb: {error} ({log})" in done.stdout
    assert done.stdout.endswith(f"FAILED: sweep-network=gtsrb: {error}\n  log: {log}\n")
    assert "again:" not in done.stdout  # a real failure is not tried twice
    assert "exited with" in (project.folder / log).read_text()
    assert "1 setting, 1 run" in done.stdout
    assert error in (project.folder / "sweeps/sweep/index.html").read_text()
    assert experiments(project) == ["sweep-network=small_cnn"]
    assert left_over(project) == NOTHING


def test_a_run_that_met_a_lock_is_tried_once_more(project):
    """The copy's DVC lock is held until the first try has ended."""
    path = project.folder / ".dvc/tmp/trackbed/0/.dvc/tmp/lock"
    log = project.folder / "sweeps/sweep/logs/sweep-dropout=0.4.log"

    def hold():
        until(lambda: path.parent.parent.is_dir())
        path.parent.mkdir(exist_ok=True)
        with path.open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            until(lambda: log.exists() and "Unable to acquire lock" in log.read_text())

    thread = threading.Thread(target=hold)
    thread.start()
    done = sweeping.trackbed(project, "sweep", "-S", "train.dropout=0.4")
    thread.join()
    assert "again: sweep-dropout=0.4 met another process: ERROR: Unable to acquire" in done.stdout
    assert "[1/1] sweep-dropout=0.4: val_macro_f1 0.8600" in done.stdout
    assert done.returncode == 0, done.stderr
