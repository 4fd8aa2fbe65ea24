import sys

import pytest

from trackbed.pipeline import progress

BEGUN = 100.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets: clock[0] is the time in seconds."""
    now = [BEGUN]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def written(clock, capsys, seconds, steps=10):
    """The lines of a work whose steps take these seconds."""
    with progress.Progress("embedding", steps) as work:
        for one in seconds:
            clock[0] += one
            work.advance()
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_quick_work_writes_no_line(clock, capsys):
    assert written(clock, capsys, [2.9] * 10) == []


def test_a_line_every_half_minute_has_the_time_left(clock, capsys):
    # By hand: after 30 s, 3 of 10 done; two steps of 10 s since the first, seven are left.
    assert written(clock, capsys, [10] * 10) == [
        "embedding: 30% in 0:00:30, about 0:01:10 left",
        "embedding: 60% in 0:01:00, about 0:00:40 left",
        "embedding: 90% in 0:01:30, about 0:00:10 left",
    ]


def test_the_first_step_gives_no_estimate(clock, capsys):
    assert written(clock, capsys, [300, 10, 30, 10], steps=4) == [
        "embedding: 25% in 0:05:00",
        "embedding: 75% in 0:05:40, about 0:00:20 left",
    ]


def test_the_last_step_writes_no_line(clock, capsys):
    assert written(clock, capsys, [60], steps=1) == []


def test_items_come_one_by_one_and_in_order():
    items = progress.track([3, 1, 2], "counting")
    assert next(items) == 3
    assert list(items) == [1, 2]


def test_a_terminal_gets_a_bar_and_no_lines(monkeypatch):
    pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")
    outer, inner = pty.openpty()
    with open(inner, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert list(progress.track(["a", "b"], "embedding")) == ["a", "b"]
    with open(outer, "rb", buffering=0) as screen:
        shown = screen.read(65536).decode()
    assert "embedding" in shown
    assert "\x1b[2K" in shown  # the bar is removed at the end
