"""Harm to real runs at precise moments: killed, interrupted, out of disk space.

A stage of a copy of a finished project is made stale, `dvc repro` starts it, tests/stopping stops
it at a moment; then comes the fault, and the stage may go on as far as it can.
"""

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from project import ROOT, Project

PATIENCE = 180  # seconds
ANY = "*"
STAGES = ROOT / "stages"


def _placed(path):
    """The first step after an output has got its name."""
    return [("os.rename", path), ("open", ANY)]


# Events and paths: "start" holds the lock and has done nothing; in the "middle" an output is
# half there; at the "end" all are in place and the stage has not ended.
MOMENTS = {
    "sample": {
        "middle": [("open", "data/.sample.partial/STONE/*")],
        "end": _placed("data/sample"),
    },
    "build_tfrecord": {
        "middle": [("open", "data/.records.partial/*index.csv*")],  # after the shards
        "end": _placed("metrics/data.json"),
    },
    "split": {
        "middle": [("os.rename", "data/.folds.partial/folds.csv")],
        "end": _placed("data/folds"),
    },
    "embed": {
        "middle": [("os.rename", "data/.embeddings.partial/embeddings.json")],
        "end": _placed("data/embeddings"),
    },
    "train": {
        "middle": [("open", "metrics/train/plots/metrics/train/loss.tsv")] * 2,  # second epoch
        "end": _placed("models"),
    },
    "export": {
        "middle": [("os.rename", ".exported.partial/model.json")],
        "end": _placed("exported"),
    },
    "evaluate": {
        "middle": [("open", "plots/.confusion_matrix.csv.partial")],  # two of five are in place
        "end": _placed("metrics/evaluate.json"),
    },
    "report": {
        "middle": [("os.rename", "plots/report.html")],
        "end": _placed("metrics/report.md"),
    },
}
for _stage, _moments in MOMENTS.items():
    _moments["start"] = [("open", f"logs/{_stage}.log")]
# When the stage has ended, DVC itself.
OF_DVC = {"caching": [("os.rename", ".dvc/cache/files/*")], "locking": [("write", "dvc.lock")]}

# The epoch log grows under its own name.
EPOCH_LOG = ("metrics/train/metrics.json", "metrics/train/plots/metrics")


@dataclass
class Run:
    """A `dvc repro` whose stage stands still."""

    project: Project
    stage: str
    dvc: subprocess.Popen
    process: psutil.Process  # of the stage
    output: Path

    def goes_on(self):
        """Let the stage go on; what was printed, once it and dvc are gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process.send_signal(signal.SIGCONT)
        self.dvc.wait(PATIENCE)
        until(lambda: gone(self.process))
        return self.output.read_text()


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def gone(process):
    """Whether a process is no more; a zombie waits for a parent that may never ask for it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def pipeline(stage):
    """The folder, '' or 'data/', of the dvc.yaml that a stage stands in."""
    return "data/" if stage == "sample" else ""


def target(stage):
    """Arguments of `dvc repro`: none for what stands in the main pipeline."""
    return ["data/dvc.yaml"] if stage == "sample" else []


def prepare(project):
    """Have a finished project ready to be copied, with the results that a repetition gives."""
    project.run("git", "checkout", "-q", ".")
    path = project.folder / "stages/trackbed/sample/drives.py"
    text = path.read_text()
    assert "drives: int = 26" in text
    path.write_text(text.replace("drives: int = 26", "drives: int = 2"))  # drawn in a moment
    project.commit("fewer drives")
    project.run("dvc", "repro", "--all-pipelines")


def locked(project, stage=None):
    """What dvc.lock says of the outputs: path -> md5; of one stage or of all."""
    outputs = {}
    for path in (project.folder / "dvc.lock", project.folder / "data/dvc.lock"):
        if path.exists():
            for name, entry in yaml.safe_load(path.read_text())["stages"].items():
                if stage in (None, name):
                    outputs |= {out["path"]: out["md5"] for out in entry["outs"]}
    return outputs


def make_stale(project, stage):
    """Remove a stage's outputs and all that DVC remembers of them."""
    store = project.folder / ".dvc/cache/files/md5"
    for path, md5 in locked(project, stage).items():
        entry = store / md5[:2] / md5[2:]
        if entry.suffix == ".dir" and entry.exists():
            for inner in json.loads(entry.read_text()):
                (store / inner["md5"][:2] / inner["md5"][2:]).unlink(missing_ok=True)
        entry.unlink(missing_ok=True)
        output = project.folder / path
        shutil.rmtree(output) if output.is_dir() else output.unlink()
    shutil.rmtree(project.folder / ".dvc/cache/runs", ignore_errors=True)
    path = project.folder / f"{pipeline(stage)}dvc.lock"
    lock = yaml.safe_load(path.read_text())
    del lock["stages"][stage]
    path.write_text(yaml.safe_dump(lock)) if lock["stages"] else path.unlink()


@contextlib.contextmanager
def stopped(project, stage, moment):
    """Run `dvc repro` until the stage comes to a moment; in the end nothing of it is left."""
    pid_file = project.folder.parent / f"{project.folder.name}.pid"
    output = pid_file.with_suffix(".txt")
    script = "/bin/dvc" if moment in OF_DVC else f"stages/{stage}.py"
    steps = OF_DVC.get(moment) or MOMENTS[stage][moment]
    fault = {"script": script, "steps": steps, "pid_file": f"{pid_file}"}
    hook = f"{Path(__file__).parent / 'stopping'}"
    with output.open("w") as file:
        dvc = subprocess.Popen(
            ["dvc", "repro", *target(stage)],
            cwd=project.folder,
            env=project.environment | {"FAULT": json.dumps(fault), "PYTHONPATH": hook},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # What the background of a shell starts inherits that Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    try:
        until(lambda: pid_file.exists() or dvc.poll() is not None)
        assert pid_file.exists(), f"it never came to the moment\n{output.read_text()}"
        process = psutil.Process(int(pid_file.read_text()))
        until(lambda: process.status() == psutil.STATUS_STOPPED)
        yield Run(project, stage, dvc, process, output)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(dvc.pid, signal.SIGKILL)
        dvc.wait()


def kill_stage(run):
    run.process.kill()


def kill_dvc(run):
    run.dvc.kill()


def kill_both(run):
    run.dvc.kill()
    run.process.kill()


def interrupt(run):
    """As Ctrl-C does: to the whole group."""
    os.killpg(run.dvc.pid, signal.SIGINT)


def fill(run):
    """Leave no room on the file system of the project."""
    with filler(run.project).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**16))
    assert os.statvfs(run.project.folder).f_bavail == 0


def filler(project):
    return project.folder.parent / "filler"


FAULTS = {
    "kill stage": kill_stage,
    "kill dvc": kill_dvc,
    "kill both": kill_both,
    "Ctrl-C": interrupt,
    "disk full": fill,
}


def repeat(project, stage):
    """Run `dvc repro` again; in words what had to be mended before by hand, '' for nothing."""
    command = ["dvc", "repro", *target(stage)]
    done = subprocess.run(
        command,
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    assert "Unable to read RWLock-file" in done.stderr, done.stderr
    (project.folder / ".dvc/tmp/rwlock").unlink()
    project.run(*command)
    return "`rm .dvc/tmp/rwlock`, "


def second(project, stage):
    """Exit code and words of the stage, started by hand."""
    stages = yaml.safe_load((project.folder / f"{pipeline(stage)}dvc.yaml").read_text())["stages"]
    done = subprocess.run(
        [sys.executable, *shlex.split(stages[stage]["cmd"])[1:]],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def half_written(project, whole, stage):
    """The outputs of a stage, by name, that are there and differ from those of another project."""
    paths = [path for path in locked(whole, stage) if path not in EPOCH_LOG]
    return [
        path
        for path in paths
        if (project.folder / path).exists()
        and contents(project.folder / path) != contents(whole.folder / path)
    ]


def contents(path):
    """Digests of a file, or of all in a folder by their names."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return {f"{one.relative_to(path)}": hashlib.md5(one.read_bytes()).hexdigest() for one in files}


def leftovers(project):
    """Temporary names that are still there."""
    return [path.name for path in project.folder.rglob(".*.partial")]
