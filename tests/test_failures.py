"""What the output of a run says; the texts are those of DVC 3.67."""

from trackbed.running import failures

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


def test_a_stage_that_failed_is_no_race_and_tells_its_own_words():
    assert not failures.is_race(DIVERGED)
    assert failures.last_error(DIVERGED, 255) == (
        "train: the loss is not finite after epoch 1; lower train.learning_rate."
    )


def test_a_stage_that_speaks_of_a_lock_is_no_race():
    assert not failures.is_race(DIVERGED.replace("loss is not finite", "database is locked"))


def test_a_lock_is_a_race():
    assert failures.is_race(LOCKED)
    assert failures.last_error(LOCKED, 255).startswith("ERROR: Unable to acquire lock")


def test_a_killed_run_and_a_silent_one():
    assert failures.last_error("epoch 1/2\n", -9) == "ended by signal 9"
    assert failures.last_error("", 3) == "exit code 3 without a word"
    assert not failures.is_race("epoch 1/2\n")


def test_an_error_of_dvc_itself():
    output = "Reproducing experiment 'x'\nERROR: output 'a' does not exist\n"
    assert failures.last_error(output, 255) == "ERROR: output 'a' does not exist"
