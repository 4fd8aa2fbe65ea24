"""Bring runs about: those that no experiment stands for yet take place in copies of HEAD."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from trackbed import params
from trackbed.problems import Problem
from trackbed.running import experiments, launch, processes, values
from trackbed.running.progress import Progress
from trackbed.running.runs import Run

TEMPORARY = Path(".dvc/tmp/trackbed")


class Failure(NamedTuple):
    """A run that failed, the line that tells why, the file with its output."""

    name: str
    error: str
    log: str


@dataclass
class Sweeper:
    """Runs of one commit; see `opened`."""

    baseline: str
    force: bool
    launcher: launch.Launcher
    progress: Progress
    failed: list[Failure] = field(default_factory=list)
    kept: int = 0

    def run(self, runs: Sequence[Run]) -> None:
        """Run what is missing; failures are told and kept in `failed`. Raises Problem."""
        missing = list(runs) if self.force else self._missing(runs)
        self.progress.total -= len(runs) - len(missing)
        for outcome in self.launcher.outcomes(missing, self.progress.glance):
            score = None
            if outcome.error is None:
                self.kept += 1
                score = experiments.score(self.baseline, outcome.run.name)
            elif not outcome.race:
                self.failed.append(Failure(outcome.run.name, outcome.error, str(outcome.log)))
            self.progress.ran(outcome, score, list(self.launcher.running.values()))

    def _missing(self, runs: Sequence[Run]) -> list[Run]:
        """The runs that no experiment stands for yet; tells of those that one does."""
        known = experiments.finished(self.baseline)
        sections = values.flat(params.sections())
        missing = []
        for run in runs:
            found = experiments.same(_parameters(run, sections), known, self.baseline, run.name)
            if found is None:
                missing.append(run)
                continue
            self.progress.stands(run.name, found.name)
            if found.name != run.name:
                experiments.also_name(found, run.name, self.baseline)
        _refuse_taken([run.name for run in missing], {one.name for one in known})
        return missing


@contextlib.contextmanager
def opened(baseline: str, logs: Path, jobs: int, total: int, force: bool) -> Iterator[Sweeper]:
    """A sweeper of `total` runs, `jobs` at once. Whatever ends the block, it leaves no process.

    Raises Problem where another one is at work in this repository.
    """
    launcher = launch.Launcher(TEMPORARY, logs, baseline, jobs)
    with (
        processes.alone(TEMPORARY.parent),
        processes.stopping(launcher.stop),
        launcher,
        Progress(total, jobs) as progress,
    ):
        sweeper = Sweeper(baseline, force, launcher, progress)
        try:
            yield sweeper
        except KeyboardInterrupt:
            progress.say(
                f"interrupted: {sweeper.kept} of {progress.total} runs are finished and kept; the "
                "same command goes on with the rest"
            )
            raise


def _parameters(run: Run, sections: dict[str, Any]) -> dict[str, Any]:
    """All of params.yaml as the run has it."""
    given = {key: values.canonical(values.parsed(text)) for key, text in run.setting.items()}
    return sections | given


def _refuse_taken(missing: Sequence[str], names: set[str]) -> None:
    taken = [name for name in missing if name in names]
    if taken:
        raise Problem(
            f"{', '.join(taken)}: experiments of that name have other code or no scores. Use "
            "--force to run them anew, or another --prefix."
        )
