"""How long runs under way and runs waiting will take, from those that are done."""

from collections.abc import Sequence
from statistics import median


def seconds_left(
    done: Sequence[float], elapsed: Sequence[float], waiting: int, jobs: int
) -> float | None:
    """Seconds until the last run ends, None as long as none is done.

    done: seconds of finished runs. elapsed: seconds that each run under way has taken so far.
    Every run is expected to take the median of the finished ones; one that already took longer
    may end at any moment. Work is spread evenly over `jobs`.
    """
    if not done:
        return None
    one = median(done)
    work = sum(max(0.0, one - so_far) for so_far in elapsed) + waiting * one
    busy = max(1, min(jobs, len(elapsed) + waiting))
    longest = max((one - so_far for so_far in elapsed), default=0.0)
    return max(work / busy, longest, one if waiting else 0.0)
