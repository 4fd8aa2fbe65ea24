"""Stages that run twice, or lose the dvc that started them; with real processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

STAGES = Path(__file__).parents[2] / "stages"

SCRIPT = """
import os, signal, sys
sys.path.insert(0, {stages!r})
from pathlib import Path
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.runner import run

def main(source: Path, target: Path) -> None:
    print("began")
    if source == Path("bad"):
        raise UserError("source: bad is bad; take another.")
    if source == Path("damaged"):
        raise Damaged("source: 3 of 4 bytes.")
    if source == Path("interrupted"):
        os.kill(os.getpid(), signal.SIGINT)
    if source == Path("bug"):
        raise KeyError("a mistake of ours")
    target.write_bytes(source.read_bytes() if source.exists() else b"")
    print("\\x1b[2K50 %", file=sys.stderr)

run(main)
"""


def ran(folder, *arguments, **environment):
    script = folder / "copying.py"
    script.write_text(SCRIPT.format(stages=str(STAGES)))
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | environment,
    )


def log(folder):
    return (folder / "logs/copying.log").read_text()


def test_main_gets_its_paths_and_its_output_is_logged(tmp_path):
    done = ran(tmp_path, "a", "b")
    assert (done.returncode, done.stdout) == (0, "began\n")
    assert (tmp_path / "b").exists()
    assert log(tmp_path) == "began\n\n"  # without the bar of progress


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [("bad", 2, "source: bad is bad; take another."), ("damaged", 4, "source: 3 of 4 bytes.")],
)
def test_a_problem_is_one_line_with_its_exit_code(tmp_path, source, code, words):
    done = ran(tmp_path, source, "b")
    assert done.returncode == code
    assert done.stderr == f"copying: {words}\n"
    assert log(tmp_path) == f"began\ncopying: {words}\n"


def test_a_traceback_is_printed_on_request(tmp_path):
    done = ran(tmp_path, "bad", "b", TRACKBED_DEBUG="1")
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("copying: source: bad is bad; take another.\n")


def test_ctrl_c_ends_a_stage_without_a_traceback(tmp_path):
    done = ran(tmp_path, "interrupted", "b")
    assert done.returncode == 130
    assert done.stderr == "copying: interrupted; `dvc repro` runs this stage again.\n"
    assert log(tmp_path).endswith(done.stderr)
    assert not (tmp_path / "b").exists()


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path):
    done = ran(tmp_path, "bug", "b")
    assert done.returncode == 1
    assert "KeyError: 'a mistake of ours'" in log(tmp_path)
    assert "KeyError: 'a mistake of ours'" in done.stderr


def test_missing_arguments_show_the_usage(tmp_path):
    done = ran(tmp_path, "a")
    assert done.returncode != 0
    assert "SOURCE TARGET" in done.stderr


def test_the_seconds_of_a_stage_are_noted(tmp_path):
    noted = tmp_path / "logs/copying.json"
    ran(tmp_path, "bad", "b")
    assert not noted.exists()
    ran(tmp_path, "a", "b")
    assert 0 <= json.loads(noted.read_text())["seconds"] < 60


def test_a_stage_does_not_fail_for_its_clock(tmp_path):
    (tmp_path / "logs/copying.json").mkdir(parents=True)  # a folder where a file should be
    assert ran(tmp_path, "a", "b").returncode == 0


def test_a_full_disk_is_reported(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / "a").write_text("content")
    done = ran(tmp_path, "a", str(full))
    assert done.returncode == 7
    assert done.stderr.startswith("copying: no space left on the disk of")
    assert "Traceback" not in done.stderr


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
