import subprocess
import sys
from pathlib import Path

import pytest

from trackbed import startup

STAGES = Path(__file__).parents[1] / "stages"


def test_tensorflow_starts_in_silence_and_later_errors_are_seen():
    code = (
        f"import sys; sys.path.insert(0, {str(STAGES)!r})\n"
        "from trackbed import startup\n"
        "startup.tensorflow()\n"
        "import tensorflow as tf\n"
        "print(int(tf.constant(1) + 1))\n"
        "print('later', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert done.stderr == "later\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"I0000 00:00:17 port.cc:153] oneDNN custom operations are on.\n", False),
        (b"WARNING: All log messages before absl::InitializeLog() is called\n", False),
        (b"E0000 00:00:17 something.cc:1] cannot load library\n", True),
        (b"Traceback (most recent call last):\n", True),
    ],
)
def test_only_greetings_are_held_back(line, expected):
    assert startup.important(line) == expected
