import gc
import os
import subprocess
import sys

import numpy  # noqa: F401
import pytest
from program import STAGES

from trackbed.inference import quick_start

# The threads of the process (Linux) after NumPy is there, and whether garbage is collected.
PROGRAM = """
import gc, os
from trackbed.inference import quick_start
with quick_start.loading():
    assert not gc.isenabled()
    import numpy
print(len(os.listdir("/proc/self/task")), gc.isenabled(), gc.get_freeze_count() > 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")
def test_numpy_starts_no_threads_and_the_collector_goes_on():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(STAGES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "True", "True"]


def test_where_numpy_is_loaded_nothing_changes(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with quick_start.loading():
        assert gc.isenabled()
    assert "OPENBLAS_NUM_THREADS" not in os.environ
