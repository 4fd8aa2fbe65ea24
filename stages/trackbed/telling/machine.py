"""The machine that a run took place on, and how long its stages took."""

import json
import os
import platform
from pathlib import Path

import psutil

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
