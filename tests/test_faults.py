"""Whatever happens to a run, the next `dvc repro` ends with the results of an undisturbed one.

`make faults` tries every fault at every moment of every stage; here is a part of them.
"""

import fcntl
import itertools
import os
import subprocess
import sys
from contextlib import contextmanager

import faults
import pytest
from project import copied

TABLE = "FAULTS_TABLE"  # in the environment: a file that gets a row per case
# Every stage, moment and fault; the expensive stages where they have done little.
PART = [
    ("split", "start", "kill stage"),
    ("embed", "end", "kill both"),
    ("sample", "middle", "kill dvc"),
    ("build_tfrecord", "middle", "disk full"),
    ("train", "start", "kill dvc"),
    ("export", "middle", "kill both"),
    ("evaluate", "start", "Ctrl-C"),
    ("report", "middle", "disk full"),
]
ALL = list(itertools.product(faults.MOMENTS, ("start", "middle", "end"), faults.FAULTS))
ALL += itertools.product(["split"], faults.OF_DVC, ["kill dvc", "Ctrl-C", "disk full"])
# The outputs are whole and DVC may accept them; on a full disk it can fail then, and leave its
# lock file half-written, which is beyond a stage.
LATE = ("end", *faults.OF_DVC)


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory):
    """A project with the results of an undisturbed run."""
    project = copied(finished, tmp_path_factory.mktemp("whole") / "project")
    faults.prepare(project)
    return project


@contextmanager
def small_disk(folder, size="48m"):
    """A real file system, three times as large as the project; skips where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk is mounted by root on Linux; `unshare -rm` makes one of a user")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("the system permits no mounting of a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


# A stage with outputs of 1.6 MB, 1.1 MB and 1.4 MB.
LARGE = f"""
import sys
sys.path.insert(0, {str(faults.STAGES)!r})
from pathlib import Path
import numpy as np
from PIL import Image
from trackbed.pipeline import outputs
from trackbed.pipeline.runner import run
from trackbed.records import pixel_memory
from trackbed.networks import embeddings
from trackbed.records import embedding_store

def main(target: Path) -> None:
    if target.suffix == ".npy":
        ones = [lambda images: np.ones((len(images), 400), np.float32)]
        images = np.zeros((1000, 1, 1, 3), np.uint8)
        embedding_store.write(target, images, np.arange(1000), ones, 10)
    elif target.suffix == ".jpg":
        noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
        with outputs.replacing(target) as temporary:
            temporary.write_bytes(outputs.jpeg(Image.fromarray(noise), 95))
    else:
        pixel_memory.SHARE_OF_MEMORY = 0
        pixel_memory.allocated((100, 60, 60, 3)).array[:] = 1

run(main)
"""


@pytest.mark.parametrize("target", ["embeddings.npy", "pixels", "sheet.jpg"])
def test_outputs_that_outgrow_the_disk_are_refused(tmp_path, target):
    """A memory map would end by SIGBUS, without a word, and Pillow leave a part of the picture."""
    (tmp_path / "large.py").write_text(LARGE)
    with small_disk(tmp_path / "disk", "1m") as disk:
        done = subprocess.run(
            [sys.executable, "../large.py", target],
            cwd=disk,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr[:33]) == (7, "large: no space left on the disk ")
        assert not list(disk.glob("*.jpg")) + list(disk.glob(".*.partial"))


def case(whole, folder, stage, moment, fault):
    """Do harm to a stage, see what it leaves, and run it again; what happened, in words."""
    project = copied(whole, folder / "project")
    faults.make_stale(project, stage)
    with faults.stopped(project, stage, moment) as run:
        if fault == "kill stage":
            code, words = faults.second(project, stage)
            busy = f"{stage}: stage {stage} is already running (pid {run.process.pid});"
            assert code == 6, words
            assert words.startswith(busy), words
        faults.FAULTS[fault](run)
        output = run.goes_on()
    faults.filler(project).unlink(missing_ok=True)
    accepted = faults.locked(project, stage)
    assert not accepted or (moment in LATE and accepted == faults.locked(whole, stage))
    assert run.dvc.returncode != 0 or accepted
    assert not faults.half_written(project, whole, stage)
    if fault == "disk full":
        assert f"{stage}: no space left on the disk" in output or moment in LATE
        assert "no space left" in output.lower() or run.dvc.returncode == 0
    mended = faults.repeat(project, stage)
    assert moment in LATE or not mended
    assert faults.locked(project) == faults.locked(whole)
    assert not faults.leftovers(project)
    return f"dvc ended with {run.dvc.returncode}; {mended}then the same results"


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "moment", "fault"), PART)
def test_the_next_run_ends_as_if_nothing_had_happened(whole, tmp_path, stage, moment, fault):
    tried(whole, tmp_path, stage, moment, fault)


@pytest.mark.faults
@pytest.mark.parametrize(("stage", "moment", "fault"), ALL)
def test_every_fault_at_every_moment(whole, tmp_path, stage, moment, fault):
    try:
        tried(whole, tmp_path, stage, moment, fault)
    except Exception as error:
        add_row(stage, moment, fault, f"FAILED: {error}".partition("\n")[0])
        raise


def tried(whole, folder, stage, moment, fault):
    if fault == "disk full":
        with small_disk(folder / "disk") as disk:
            outcome = case(whole, disk, stage, moment, fault)
    else:
        outcome = case(whole, folder, stage, moment, fault)
    add_row(stage, moment, fault, outcome)


def add_row(stage, moment, fault, outcome):
    """Add a row to the table, if one is wanted."""
    if TABLE in os.environ:
        with open(os.environ[TABLE], "a", encoding="utf-8") as table:
            fcntl.flock(table, fcntl.LOCK_EX)
            if not table.tell():
                table.write("| stage | moment | fault | outcome |\n|---|---|---|---|\n")
            table.write(f"| {stage} | {moment} | {fault} | {outcome} |\n")
