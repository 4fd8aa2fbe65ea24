"""Run the part of a sweep that no experiment covers yet, with progress and time left."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

import rich.console
import rich.live
import rich.text

from trackbed.experiments import clones, experiment, overrides, param_values
from trackbed.experiments.launcher import Job, Launcher, Outcome
from trackbed.experiments.runs import Run
from trackbed.integrity import dvc_repo, revisions
from trackbed.pipeline import params
from trackbed.pipeline.errors import UserError

TEMPORARY = Path(".dvc/tmp/trackbed")


def seconds_left(
    done: Sequence[float], elapsed: Sequence[float], waiting: int, jobs: int
) -> float | None:
    """Estimated seconds until the last run ends; None before the first one has finished.

    done: seconds of finished runs. elapsed: seconds since the start of each run in progress.
    Every run is expected to take the median of the finished ones, and one that already took longer
    to end at once. Work is spread evenly over `jobs`.
    """
    if not done:
        return None
    one = median(done)
    work = sum(max(0.0, one - so_far) for so_far in elapsed) + waiting * one
    busy = max(1, min(jobs, len(elapsed) + waiting))
    longest = max((one - so_far for so_far in elapsed), default=0.0)
    return max(work / busy, longest, one if waiting else 0.0)


class Progress:
    """A context manager that reports the progress of `total` runs."""

    def __init__(self, total: int, jobs: int) -> None:
        self.total, self.jobs = total, jobs
        self.done: list[float] = []
        self.ended = 0
        # Whole lines for a log file or a pipe; the status line is for terminals only.
        self.console = rich.console.Console(file=sys.stdout, soft_wrap=True, highlight=False)
        self.live = rich.live.Live(console=self.console, transient=True, auto_refresh=False)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def report(self, outcome: Outcome, score: float | None, jobs: Sequence[Job]) -> None:
        """Print how a run ended. score: validation macro F1; jobs: those still in progress."""
        if outcome.race:
            self.print_line(f"again: {outcome.run.name} met another process: {outcome.error}")
            return
        self.ended += 1
        place = f"[{self.ended}/{self.total}]"
        if outcome.error is not None:
            self.print_line(f"{place} FAILED {outcome.run.name}: {outcome.error} ({outcome.log})")
            return
        self.done.append(outcome.seconds)
        left = self.seconds_left(jobs, self.total - self.ended - len(jobs))
        score_text = "" if score is None else f" val_macro_f1 {score:.4f},"
        rest = f"; about {duration(left)} left" if left else ""
        self.print_line(
            f"{place} {outcome.run.name}:{score_text} {duration(outcome.seconds)}{rest}"
        )

    def report_existing(self, name: str, found: str) -> None:
        """Print that an experiment, by this or another name, has the result of a run already."""
        self.print_line(f"not run again: {name}" + (f" = {found}" if found != name else ""))

    def seconds_left(self, jobs: Sequence[Job], waiting: int) -> float | None:
        """Estimated seconds until the last run ends; None if unknown."""
        elapsed = [job.elapsed for job in jobs]
        return seconds_left(self.done, elapsed, max(0, waiting), self.jobs)

    def refresh(self, launcher: Launcher, waiting: int) -> None:
        """Update the status line of the runs in progress, on a terminal."""
        if not self.live.is_started:
            return
        jobs = list(launcher.running.values())
        left = self.seconds_left(jobs, max(waiting, self.total - self.ended - len(jobs)))
        names = ", ".join(f"{job.run.name} {duration(job.elapsed)}" for job in jobs)
        rest = f"about {duration(left)} left" if left is not None else f"{waiting} waiting"
        self.live.update(rich.text.Text(f"{names}; {rest}", overflow="ellipsis"), refresh=True)

    def print_line(self, line: str) -> None:
        """Print a line above the status line."""
        self.console.print(line, markup=False)
        sys.stdout.flush()


def duration(seconds: float) -> str:
    """'42 s', '3 min 20 s', '2 h 5 min'."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Failure(NamedTuple):
    """A run that failed, the reason in one line, and the file with its output."""

    name: str
    error: str
    log: str


@dataclass
class Sweeper:
    """The runs of one commit; see `open_sweeper`."""

    baseline: str
    force: bool
    launcher: Launcher
    progress: Progress
    failed: list[Failure] = field(default_factory=list)
    kept: int = 0

    def run(self, runs: Sequence[Run]) -> None:
        """Run what is missing; failures are printed and added to `failed`. Raises UserError."""
        missing = list(runs) if self.force else self._missing(runs)
        self.progress.total -= len(runs) - len(missing)
        for outcome in self.launcher.outcomes(missing, self.progress.refresh):
            score = None
            if outcome.error is None:
                self.kept += 1
                score = experiment.validation_macro_f1(self.baseline, outcome.run.name)
            elif not outcome.race:
                self.failed.append(Failure(outcome.run.name, outcome.error, str(outcome.log)))
            self.progress.report(outcome, score, list(self.launcher.running.values()))

    def _missing(self, runs: Sequence[Run]) -> list[Run]:
        """The runs that no experiment covers yet; the others are reported as existing."""
        known = experiment.finished(self.baseline)
        sections = params.sections()
        missing, existing = [], {}
        for run in runs:
            wanted = param_values.flattened(overrides.applied(sections, run.setting))
            found = experiment.equivalent(wanted, known, self.baseline, run.name)
            if found is None:
                missing.append(run)
                continue
            self.progress.report_existing(run.name, found.name)
            existing[run.name] = found.commit
            if found.name != run.name:
                experiment.add_name(found, run.name, self.baseline)
        self._report_incomplete(existing)
        _refuse_taken([run.name for run in missing], {one.name for one in known})
        return missing

    def _report_incomplete(self, existing: dict[str, str]) -> None:
        """Print which of the experiments, a commit by name, have lost their models."""
        if not existing:
            return
        with dvc_repo.repository() as repo:
            gone = [name for name in existing if revisions.missing(repo, existing[name])]
        if gone:
            self.progress.print_line(
                f"Only the scores of {', '.join(gone)} are left: DVC's cache does not hold their "
                "outputs, such as the model. `dvc gc` removes them, and an experiment that comes "
                "from elsewhere has none. --force runs them again."
            )


@contextlib.contextmanager
def open_sweeper(
    baseline: str, logs: Path, jobs: int, total: int, force: bool
) -> Iterator[Sweeper]:
    """A sweeper for `total` runs, `jobs` at once; it leaves no process behind.

    Raises UserError where another sweep is running in this repository.
    """
    launcher = Launcher(TEMPORARY, logs, baseline, jobs)
    with (
        clones.only_sweep(TEMPORARY.parent),
        clones.stop_on_signals(launcher.stop),
        launcher,
        Progress(total, jobs) as progress,
    ):
        sweeper = Sweeper(baseline, force, launcher, progress)
        try:
            yield sweeper
        except KeyboardInterrupt:
            progress.print_line(
                f"interrupted: {sweeper.kept} of {progress.total} runs are finished and kept; the "
                "same command goes on with the rest"
            )
            raise


def _refuse_taken(missing: Sequence[str], names: set[str]) -> None:
    taken = [name for name in missing if name in names]
    if taken:
        raise UserError(
            f"{', '.join(taken)}: experiments of that name have other code or no scores. Use "
            "--force to run them again, or another --prefix."
        )
