"""What a sweep tells while it runs: a line per event, and on a terminal the time left."""

import sys
from collections.abc import Sequence

import rich.console
import rich.live
import rich.text

from trackbed.running import timeleft
from trackbed.running.launch import Job, Launcher, Outcome


class Progress:
    """A context manager that counts the outcomes of `total` runs."""

    def __init__(self, total: int, jobs: int) -> None:
        self.total, self.jobs = total, jobs
        self.done: list[float] = []
        self.ended = 0
        # Lines that a log file or a pipe can keep, and no bar there.
        self.console = rich.console.Console(file=sys.stdout, soft_wrap=True, highlight=False)
        self.live = rich.live.Live(console=self.console, transient=True, auto_refresh=False)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def ran(self, outcome: Outcome, score: float | None, jobs: Sequence[Job]) -> None:
        """Tell how a run ended. score: validation macro F1; jobs: those still under way."""
        if outcome.race:
            self.say(f"again: {outcome.run.name} met another process: {outcome.error}")
            return
        self.ended += 1
        place = f"[{self.ended}/{self.total}]"
        if outcome.error is not None:
            self.say(f"{place} FAILED {outcome.run.name}: {outcome.error} ({outcome.log})")
            return
        self.done.append(outcome.seconds)
        left = self.left(jobs, self.total - self.ended - len(jobs))
        scored = "" if score is None else f" val_macro_f1 {score:.4f},"
        rest = f"; about {duration(left)} left" if left else ""
        self.say(f"{place} {outcome.run.name}:{scored} {duration(outcome.seconds)}{rest}")

    def stands(self, name: str, found: str) -> None:
        """Tell of a run that an experiment stands for, by this or another name."""
        self.say(f"not run again: {name}" + (f" = {found}" if found != name else ""))

    def left(self, jobs: Sequence[Job], waiting: int) -> float | None:
        """Seconds until the last run ends, as far as it can be told."""
        elapsed = [job.elapsed for job in jobs]
        return timeleft.seconds_left(self.done, elapsed, max(0, waiting), self.jobs)

    def glance(self, launcher: Launcher, waiting: int) -> None:
        """Renew the line of what is under way, on a terminal."""
        if not self.live.is_started:
            return
        jobs = list(launcher.running.values())
        left = self.left(jobs, max(waiting, self.total - self.ended - len(jobs)))
        names = ", ".join(f"{job.run.name} {duration(job.elapsed)}" for job in jobs)
        rest = f"about {duration(left)} left" if left is not None else f"{waiting} waiting"
        self.live.update(rich.text.Text(f"{names}; {rest}", overflow="ellipsis"), refresh=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, markup=False)
        sys.stdout.flush()


def duration(seconds: float) -> str:
    """'42 s', '3 min 20 s', '2 h 5 min'."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
