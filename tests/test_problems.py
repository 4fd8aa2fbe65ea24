import subprocess
import sys
from pathlib import Path

STAGES = Path(__file__).parents[1] / "stages"

SCRIPT = """
import sys
sys.path.insert(0, {stages!r})
from pathlib import Path
from trackbed.problems import Problem, run

def main(source: Path, target: Path) -> None:
    if source == Path("bad"):
        raise Problem("source: bad is bad; take another.")
    print(source, target)

run(main)
"""


def ran(tmp_path, *arguments):
    script = tmp_path / "copy.py"
    script.write_text(SCRIPT.format(stages=str(STAGES)))
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_main_gets_its_paths(tmp_path):
    done = ran(tmp_path, "a", "b")
    assert (done.returncode, done.stdout) == (0, "a b\n")


def test_a_problem_is_one_line_without_a_traceback(tmp_path):
    done = ran(tmp_path, "bad", "b")
    assert done.returncode == 2
    assert done.stderr == "copy: source: bad is bad; take another.\n"


def test_missing_arguments_show_the_usage(tmp_path):
    done = ran(tmp_path, "a")
    assert done.returncode != 0
    assert "SOURCE TARGET" in done.stderr
