"""Which data, model, code, software and machine a result comes from."""

import hashlib
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from trackbed.pipeline.errors import UserError
from trackbed.pipeline.index import FOLDS_TABLE, INDEX_TABLE

STAGES = ("build_tfrecord", "split", "embed", "train", "evaluate")


def hardware() -> dict[str, str]:
    """Processor, cores, memory and system of this machine, and its NVIDIA GPUs if any."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    found = {
        "processor": _processor(),
        "cores": str(cores),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
    }
    gpus = _gpus()
    return found | ({"GPU": ", ".join(gpus)} if gpus else {})


def stage_seconds(folder: Path) -> dict[str, float]:
    """Seconds of the stages as last run in this workspace, those that are known, in their order.

    folder: where problems.run leaves them.
    """
    return {
        name: seconds
        for name in STAGES
        if (seconds := _seconds(folder / f"{name}.json")) is not None
    }


def _seconds(path: Path) -> float | None:
    try:
        value = json.loads(path.read_text())["seconds"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, int | float) else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    # Its import takes a moment, and without a driver it fails.
    import pynvml

    try:
        pynvml.nvmlInit()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return []


MODEL_FILE = "model.keras"


def hashes(records_path: Path, folds_path: Path, models_path: Path) -> dict[str, str]:
    """SHA-256 of index, folds and model, hexadecimal. Raises UserError for a missing file.

    The index holds the SHA-256 of every source image: equal indexes mean equal pictures.
    """
    files = {
        "data": records_path / INDEX_TABLE.name,
        "folds": folds_path / FOLDS_TABLE.name,
        "model": models_path / MODEL_FILE,
    }
    return {name: _sha256(path) for name, path in files.items()}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}. Run `dvc repro` or `dvc pull`.") from None


PACKAGES = ("tensorflow", "keras", "dvc", "dvclive", "scikit-learn", "numpy", "pillow")
# What makes a result; outputs that the pipeline wrote a moment ago do not count.
CODE = ("stages", "dvc.yaml", "params.yaml")
PATIENCE = 20  # seconds


@dataclass(frozen=True)
class Revision:
    """A commit ('unknown' outside a repository), and whether the code differs from it."""

    commit: str
    changed: bool

    @property
    def known(self) -> bool:
        """Whether there is a commit."""
        return self.commit != "unknown"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter, without importing them."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def revision() -> Revision:
    """The git revision of the current folder."""
    commit = git("rev-parse", "--verify", "HEAD")
    if commit is None:
        return Revision("unknown", changed=False)
    status = git("status", "--porcelain", "--", *CODE)
    return Revision(commit, changed=bool(status))


def git(*arguments: str) -> str | None:
    """What git prints, or None where it is missing, refuses or does not answer."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
