import pytest

from trackbed.experiments.sweeper import seconds_left


def test_nothing_is_known_before_a_run_is_done():
    assert seconds_left([], [5.0], 3, 1) is None


@pytest.mark.parametrize(
    ("done", "elapsed", "waiting", "jobs", "left"),
    [
        ([10], [], 3, 1, 30),
        ([10], [4], 3, 1, 36),
        ([10], [4, 4], 2, 2, 16),  # 6 until two are done, then two more side by side
        ([10], [0], 0, 4, 10),  # the last run does not get faster by idle jobs
        ([10, 30, 20], [], 2, 1, 40),  # the median
        ([10], [99], 1, 2, 10),  # one that takes longer may end at any moment
        ([10], [], 0, 1, 0),
    ],
)
def test_by_hand(done, elapsed, waiting, jobs, left):
    assert seconds_left(done, elapsed, waiting, jobs) == left
