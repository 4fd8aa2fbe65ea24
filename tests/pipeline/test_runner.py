import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STAGES = Path(__file__).parents[2] / "stages"

SCRIPT = """
import sys
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
