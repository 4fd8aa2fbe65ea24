"""Runs that are killed, really, and taken up again."""

import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from coloured import coloured_noise

from trackbed.networks import augmentation, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.training import loop, optimization, resume
from trackbed.training.callbacks import Plateau

STAGES = Path(__file__).parents[2] / "stages"


class Killed(Exception):
    pass


class KillAt(keras.callbacks.Callback):
    """Ends the run in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.at, self.epoch = epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.at and batch == 2:
            raise Killed


class Remembers(keras.callbacks.Callback):
    remembered = ("seen",)

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(logs["val_loss"])

    def resumed(self):
        self.after = len(self.seen)


def trained(folder=None, kill_at=None, two_phases=False, plateau=False, mixing=()):
    """Six epochs with dropout, augmentation and averaged weights; the network and its outcome."""
    tensorflow_setup.make_deterministic(3)
    network = registry.build("small_cnn", Spec(16, 2, 0.3, width=0.5))

    def phase(epochs):
        made = optimization.optimizer("adamw", 0.01, weight_decay=0.01, average=0.9)
        return optimization.Phase(epochs, made)

    seen = Remembers()
    callbacks = [seen]
    if plateau:
        callbacks.append(Plateau("val_loss", factor=0.5, patience=1))
    if kill_at is not None:
        callbacks.append(KillAt(kill_at))
    outcome = loop.fit(
        network,
        augmentation.build([FLIP, *mixing], 3),
        coloured_noise(96, 1),
        coloured_noise(32, 2),
        phases=[phase(3), phase(3)] if two_phases else [phase(6)],
        loss=optimization.loss("crossentropy", label_smoothing=0, gamma=0),
        plan=loop.Plan(batch=16, patience=6, seed=3),
        callbacks=callbacks,
        store=resume.Store(folder, "key", interval=0) if folder else None,
    )
    return network, outcome, seen


FLIP = augmentation.Flip(name="flip", mode="horizontal")
MIXING = (
    augmentation.MixUp(name="mixup", alpha=0.4),
    augmentation.CutMix(name="cutmix", factor=1.0),
)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"two_phases": True, "mixing": MIXING}, marks=pytest.mark.slow),
        {"plateau": True},
    ],
)
def test_a_killed_run_ends_with_the_same_weights(tmp_path, options):
    network, outcome, seen = trained(**options)
    with pytest.raises(Killed):
        trained(tmp_path, kill_at=4, **options)
    resumed, after, seen_after = trained(tmp_path, **options)
    assert (hasattr(seen, "after"), seen_after.after) == (False, 4)
    assert after == outcome
    assert seen_after.seen == seen.seen
    for ours, theirs in zip(resumed.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_store_keeps_the_last_state_and_deletes_other_runs(tmp_path):
    resume.Store(tmp_path, "old").write(resume.State(epochs=1))
    store = resume.Store(tmp_path, "new")
    assert store.read() is None
    assert [path.name for path in tmp_path.iterdir()] == []
    values = [np.arange(3, dtype=np.uint32), np.float32(0.1)]
    remembered = [{"best": 0.1 + 0.2}, {"best": -np.inf}]
    store.write(resume.State(1, 3, 4, values, values[:1], remembered))
    state = store.read()
    assert (state.phase, state.first_epoch, state.epochs) == (1, 3, 4)
    assert state.remembered == remembered
    assert [one.dtype for one in state.variables] == [np.uint32, np.float32]
    np.testing.assert_array_equal(state.best_weights[0], [0, 1, 2])
    store.remove()
    assert store.read() is None


@pytest.fixture
def package(tmp_path):
    return Path(shutil.copytree(STAGES / "trackbed", tmp_path / "trackbed"))


@pytest.mark.parametrize(
    ("file", "same"),
    [
        *[
            ("reporting/figures.py", True),
            ("splitting/folds.py", True),
            ("evaluation/new.py", True),
        ],
        *[("networks/small_cnn.py", False), ("networks/new.py", False)],
        *[("training/loop.py", False), ("records/reader.py", False), ("pipeline/index.py", False)],
    ],
)
def test_only_edits_of_code_that_train_tracks_change_the_key(package, file, same):
    before = resume.key("{}", resume.code_folders(package))
    with (package / file).open("a") as edited:
        edited.write("# edited\n")
    assert (resume.key("{}", resume.code_folders(package)) == before) is same


def test_the_key_covers_the_code_that_dvc_tracks_for_train():
    deps = yaml.safe_load((STAGES.parent / "dvc.yaml").read_text())["stages"]["train"]["deps"]
    folders = {f"stages/trackbed/{folder.name}" for folder in resume.code_folders(STAGES)}
    assert {dep for dep in deps if dep.startswith("stages/trackbed/")} == folders


def test_a_key_depends_on_settings_code_and_tables(tmp_path):
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "picture.jpg").write_text("1")
    first = resume.key("{}", [tmp_path])
    (tmp_path / "picture.jpg").write_text("2")
    assert resume.key("{}", [tmp_path]) == first
    assert resume.key("{ }", [tmp_path]) != first
    (tmp_path / "a.py").write_text("2")
    second = resume.key("{}", [tmp_path])
    assert second != first
    (tmp_path / "index.csv").write_text("a,b\n")
    assert resume.key("{}", [tmp_path]) != second
    assert resume.key("{}", [tmp_path / "a.py"]) == second
    third = resume.key("{}", [tmp_path])
    (tmp_path / "embeddings.json").write_text('{"backbone": "0123"}')  # beside arrays
    assert resume.key("{}", [tmp_path]) != third


@pytest.mark.slow
def test_a_killed_stage_resumes_and_gives_the_same_model(project):
    project.change(train={"epochs": 12, "patience": 12, "resume": True})
    project.run("dvc", "repro", "-q", "embed")
    project.commit()
    script = project.folder / "stages/trackbed/training/resume.py"
    script.write_text(script.read_text().replace("INTERVAL = 5.0", "INTERVAL = 0.0"))
    arguments = project.run("dvc", "stage", "list", "--name-only") and stage_arguments(project)
    killed(arguments, project)
    assert not (project.folder / "models/model.keras").exists()
    with (project.folder / "stages/trackbed/reporting/figures.py").open("a") as figures:
        figures.write("# edited while the training was down\n")
    assert "resumed after epoch" in project.run(*arguments)
    summary = (project.folder / "metrics/train/metrics.json").read_text()
    log = (project.folder / "metrics/train/plots/metrics/val/loss.tsv").read_text().split()
    assert log[2::2] == [f"{number}" for number in range(1, 13)]
    resumed = written(project)
    assert not list((project.folder / ".cache/resume").iterdir())
    project.change(train={"resume": False})
    project.run(*arguments)
    assert written(project) == resumed
    assert (project.folder / "metrics/train/metrics.json").read_text() == summary


def written(project):
    """The model and its predictions for the validation fold."""
    files = ("model.keras", "validation.csv")
    return [(project.folder / "models" / name).read_bytes() for name in files]


def stage_arguments(project):
    stages = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]
    return [sys.executable, *shlex.split(stages["train"]["cmd"])[1:]]


def killed(arguments, project):
    """Run a command and kill it once it has kept a state of three epochs."""
    states = Path(project.folder, ".cache/resume")
    process = subprocess.Popen(arguments, cwd=project.folder, env=project.environment)
    try:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            found = list(states.glob("*/" + resume.STATE_FILE))
            if found and resume.Store(states, found[0].parent.name).read().epochs >= 3:
                break
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_damaged_state_starts_the_training_anew(tmp_path, capsys):
    store = resume.Store(tmp_path, "key")
    store.folder.mkdir()
    (store.folder / resume.STATE_FILE).write_bytes(b"PK cut off")
    assert store.read() is None
    assert "damaged" in capsys.readouterr().out
