"""Run a contestant in a process of its own and watch its memory."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from speed.bench import Contestant, Values

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".cache" / "peers" / "bin" / "python"
PEAK = "peak MB"
# Reading the memory of a process with a large heap takes milliseconds of the cores it works on.
SECONDS_BETWEEN_LOOKS = 0.5


class Failed(Exception):
    """A contestant gave no result; says why in one line."""


def measured(contestant: Contestant, task: dict[str, Any]) -> Values:
    """What the contestant measured, and its peak memory in MB of 10**6 bytes.

    The peak is that of its largest process, or of all its processes together where a look every
    half second saw more. Raises Failed if it ends without a result.
    """
    python = PEERS if contestant.peer else Path(sys.executable)
    if not python.exists():
        raise Failed("the peers are not installed; `make bench` does it")
    given = {"task": task, "arguments": dict(contestant.arguments)}
    command = [
        python,
        ROOT / "benchmarks" / "contestant.py",
        f"{contestant.function.__module__}:{contestant.function.__name__}",
        json.dumps(given, default=str),
    ]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdout=out, stderr=errors, cwd=task["work"], env=_environment()
        )
        together = _watched(process)
        out.seek(0)
        errors.seek(0)
        printed = _result(process.returncode, out.read().decode(), errors.read().decode())
    return printed["measured"] | {PEAK: max(printed["peak"], together)}


def _environment() -> dict[str, str]:
    """TensorFlow's greetings off, our package on the path."""
    return os.environ | {"PYTHONPATH": str(ROOT / "stages"), "TF_CPP_MIN_LOG_LEVEL": "2"}


def _watched(process: subprocess.Popen) -> float:
    """Wait for the process; the most that it and its children held together at a look, in MB."""
    most = 0.0
    while True:
        try:
            process.wait(SECONDS_BETWEEN_LOOKS)
            return most / 1e6
        except subprocess.TimeoutExpired:
            most = max(most, _together(process.pid))


def _together(identity: int) -> float:
    """Bytes of a process and its children; memory that they share counts once."""
    total = 0
    try:
        parent = psutil.Process(identity)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:  # one of them has just ended
        pass
    return total


def _result(status: int, printed: str, errors: str) -> dict[str, Any]:
    if status != 0:
        lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["no message"]
        raise Failed(f"exit status {status}, {lines[-1][:200]}")
    return json.loads(printed.splitlines()[-1])
