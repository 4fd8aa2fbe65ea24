import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from trackbed.dataset import pool

STAGES = Path(pool.__file__).parents[2]


def square(number):
    # The first ones last longest.
    time.sleep(0.02 * max(0, 3 - number))
    return number * number


def own_process(_):
    return os.getpid()


def failing_at_three(number):
    if number == 3:
        raise LookupError("three")
    return number


def killed_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def children():
    """The processes that this one has started, without those that Python keeps for later ones."""
    found = psutil.Process().children(recursive=True)
    commands = [(child, " ".join(child.cmdline())) for child in found]
    servers = [child for child, command in commands if "multiprocessing.forkserver" in command]
    # Copies of the server have its command.
    kept = [child for child in servers if child.ppid() == os.getpid()]
    return [
        child
        for child, command in commands
        if child not in kept and "resource_tracker" not in command
    ]


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    results = pool.ordered_map(square, iter(range(20)), workers)
    assert list(results) == [n * n for n in range(20)]
    assert not children()


def test_one_worker_is_this_process_and_more_are_others():
    assert set(pool.ordered_map(own_process, range(5), 1)) == {os.getpid()}
    others = set(pool.ordered_map(own_process, range(20), 2))
    assert os.getpid() not in others
    assert 1 <= len(others) <= 2


def test_items_are_taken_little_ahead_of_their_results():
    taken = []
    results = pool.ordered_map(square, (taken.append(n) or n for n in range(100)), 2)
    for number in range(10):
        next(results)
        assert len(taken) <= number + 2 * pool.ITEMS_AHEAD
    results.close()
    assert not children()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_where_its_item_stands(workers):
    results = pool.ordered_map(failing_at_three, range(50), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="three"):
        next(results)
    assert not children()


def test_a_killed_process_is_noticed():
    with pytest.raises(pool.WorkerKilled):
        list(pool.ordered_map(killed_at_three, range(50), 2))
    assert not children()


def test_prepared_processes_do_the_same():
    pool.prepare()
    assert list(pool.ordered_map(square, range(5), 2)) == [n * n for n in range(5)]
    assert not children()


def test_a_long_path_of_temporary_files_is_no_hindrance(tmp_path):
    folder = tmp_path / ("a" * 100)  # longer than the address of a socket may be
    folder.mkdir()
    script = "import math\nfrom trackbed.dataset import pool\n"
    script += "print(list(pool.ordered_map(math.sqrt, [1, 4], 2)))"
    environment = {**os.environ, "PYTHONPATH": f"{STAGES}", "TMPDIR": f"{folder}"}
    found = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (found.stdout.strip(), found.stderr) == ("[1.0, 2.0]", "")


# A script that no child imports: without a guard it would start processes without end.
SCRIPT = """
import signal
import time
from trackbed.dataset import pool

# Tests that run in the background of a shell inherit that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _ in pool.ordered_map(time.sleep, [0.01] * 1000, 2):
    time.sleep(0.5)  # by now the processes have nothing to do
    print("going", flush=True)
"""


@pytest.fixture
def script(tmp_path):
    """A script that works in two processes of its own and has got its first result."""
    (tmp_path / "script.py").write_text(SCRIPT)
    running = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        env=os.environ | {"PYTHONPATH": str(STAGES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout.readline() == "going\n"
    yield running
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_when_the_first_one_is_stopped(script, number):
    processes = psutil.Process(script.pid).children(recursive=True)
    assert len(processes) >= 2
    if number == signal.SIGINT:
        os.killpg(script.pid, number)  # as Ctrl-C does
    else:
        os.kill(script.pid, number)
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
    assert script.wait(10) != 0
    # One traceback at most: the new processes leave Ctrl-C to the first.
    assert script.stderr.read().count("Traceback") == (number == signal.SIGINT)
