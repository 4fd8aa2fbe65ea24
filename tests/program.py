"""The program `trackbed`, started as a user would."""

import os
import subprocess
import sys
from pathlib import Path

STAGES = Path(__file__).parents[1] / "stages"


def trackbed(*arguments, folder=STAGES):
    return subprocess.run(
        [sys.executable, "-m", "trackbed", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(STAGES), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
