"""What predicting needs runs without the packages of the pipeline."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCKED = ("dvc", "dvclive", "keras", "matplotlib", "pandas", "psutil", "pydantic", "scipy")
BLOCKED += ("sklearn", "tensorflow", "yaml")
# An import of any of them fails from here on.
BLOCK = f"import sys\nsys.modules.update(dict.fromkeys({BLOCKED!r}))\n"


def blocked_run(code):
    command = [sys.executable, "-c", BLOCK + code]
    done = subprocess.run(command, cwd=ROOT / "stages", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_and_sources_are_read_without_the_pipeline():
    blocked_run(
        "from trackbed.pictures import decoding\nfrom trackbed.records import resizing\n"
        "from trackbed.dataset import folders, layouts, manifest_csv, rails, source_pictures\n"
    )
