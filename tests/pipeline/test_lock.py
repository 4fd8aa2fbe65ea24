"""Stages that run twice, or lose the dvc that started them; with real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).parents[2] / "stages"
SLOW = f"""
import sys, time
sys.path.insert(0, {str(STAGES)!r})
from pathlib import Path
from trackbed.pipeline.runner import run

def main(target: Path) -> None:
    Path("begun").touch()
    time.sleep(60 if Path("slow").exists() else 0)
    target.write_text("done")

run(main)
"""


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "slow").touch()
    return tmp_path


@pytest.fixture
def started(folder):
    """Starts a command in the folder and waits for its stage; kills what is left in the end."""
    processes = []

    def start(*command, **environment):
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        until((folder / "begun").exists)
        return process

    yield start
    for process in processes:
        for pid in [process.pid, *stages_in(folder)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()


def stages_in(folder):
    """Process ids of the stage's own processes."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline", "cwd"])
        if process.info["cwd"] == str(folder)
        and (process.info["cmdline"] or [""])[0].rpartition("/")[2].startswith("python")
        and "slow.py" in process.info["cmdline"]
    ]


def test_a_second_one_is_refused_and_names_the_first(folder, started):
    first = started(sys.executable, "slow.py", "out")
    second = subprocess.run(
        [sys.executable, "slow.py", "out"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert second.returncode == 6
    assert second.stderr == (
        f"slow: stage slow is already running (pid {first.pid}); wait for it, or stop it.\n"
    )


def test_after_a_kill_the_next_one_runs(folder, started):
    started(sys.executable, "slow.py", "out").kill()
    until(lambda: not stages_in(folder))
    (folder / "slow").unlink()
    done = subprocess.run([sys.executable, "slow.py", "out"], cwd=folder, check=False)
    assert done.returncode == 0
    assert (folder / "out").read_text() == "done"


@pytest.mark.parametrize("command", ["exec python slow.py out", "python slow.py out; true"])
def test_a_stage_ends_with_the_dvc_that_started_it(folder, started, command):
    (folder / "dvc.yaml").write_text(
        f'stages:\n  slow:\n    cmd: "{command}"\n    deps: [slow.py]\n    outs: [out]\n'
    )
    for arguments in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        subprocess.run(arguments, cwd=folder, check=True)
    dvc = started("dvc", "repro", SHELL="/bin/bash")
    assert len(stages_in(folder)) == 1
    dvc.kill()
    dvc.wait()
    until(lambda: not stages_in(folder))
    assert not (folder / "out").exists()
    (folder / "slow").unlink()
    subprocess.run(["dvc", "repro", "-q"], cwd=folder, check=True)
    assert (folder / "out").read_text() == "done"


def test_outside_dvc_it_outlives_its_parent(folder, started):
    environment = {key: value for key, value in os.environ.items() if key != "DVC_STAGE"}
    assert "DVC_STAGE" not in environment
    shell = started("/bin/sh", "-c", f"{sys.executable} slow.py out & wait")
    shell.kill()
    time.sleep(1.5)
    assert len(stages_in(folder)) == 1
