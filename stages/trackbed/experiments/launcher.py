"""Run experiments in copies of the repository, several at once, and leave nothing behind."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from trackbed.experiments import clones
from trackbed.experiments.clones import Clone
from trackbed.experiments.runs import Run
from trackbed.pipeline import measurements
from trackbed.pipeline.operating_system import OWN_GROUP

# Two DVC processes collided; nothing is wrong with the run itself.
RACES = re.compile(
    r"Unable to acquire lock|is busy, it is being blocked by|database is locked|"
    r"Failed to acquire rwlock|LockError|index\.lock|cannot lock ref|rwlock.*(corrupt|invalid)",
    re.IGNORECASE,
)
# The command of a stage failed, for example because training diverged.
STAGE_FAILED = re.compile(r"^ERROR: failed to reproduce '.*failed to run: ", re.MULTILINE)
POLL_SECONDS = 0.1
DVC_NOISE = re.compile(r"^ERROR: |^For support, |^Having any troubles\?|^\s*$")


def is_race(output: str) -> bool:
    """Whether a run failed by a collision with another process, so that a second try may succeed.

    Never where a stage's own command failed: that would fail again.
    """
    return bool(RACES.search(output)) and not STAGE_FAILED.search(output)


def last_error(output: str, exit_code: int) -> str:
    """The line that best explains a failure: the failing stage's last one, else DVC's."""
    lines = output.splitlines()
    if STAGE_FAILED.search(output):
        end = next(number for number, line in enumerate(lines) if STAGE_FAILED.match(line))
        printed = [line for line in lines[:end] if line.strip() and not line.startswith("> ")]
        return printed[-1].strip() if printed else lines[end]
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    errors = [line for line in lines if line.startswith("ERROR: ")]
    errors = errors or [line for line in lines if not DVC_NOISE.match(line)]
    return errors[-1].strip() if errors else f"exit code {exit_code} without output"


@dataclass(frozen=True)
class Outcome:
    """How a run ended. error: one line with the reason of a failure, None if it succeeded.

    race: whether it failed by a collision with another process and is tried once more.
    """

    run: Run
    seconds: float
    log: Path
    error: str | None = None
    race: bool = False


@dataclass
class Job:
    """A run in progress in a copy."""

    run: Run
    copy: Clone
    process: subprocess.Popen
    log: Path
    started_at: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_at


class Launcher:
    """A context manager with `jobs` copies of the repository below `folder` for runs.

    At the end of the block, however it ends, no process and no copy is left. `logs` gets one file
    per run. `stop` may be set from a signal handler.
    """

    def __init__(self, folder: Path, logs: Path, baseline: str, jobs: int) -> None:
        self.folder, self.logs, self.jobs = folder, logs, jobs
        self.copies = [Clone(folder / str(number), baseline) for number in range(jobs)]
        self.dirty = [True] * jobs  # copies may be left by a sweep that was killed
        self.running: dict[int, Job] = {}
        self.stop = threading.Event()

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *_: object) -> None:
        clones.end_processes([job.process for job in self.running.values()])
        self.running.clear()
        clones.remove_folder(self.folder)

    def outcomes(
        self, runs: Sequence[Run], progress: Callable[["Launcher", int], None] = lambda *_: None
    ) -> Iterator[Outcome]:
        """The outcome of every run as it ends; a run that failed by a race has two.

        progress: is called regularly with this launcher and the number of waiting runs. Raises
        KeyboardInterrupt when `stop` is set.
        """
        waiting, tried = deque(runs), set()
        while waiting or self.running:
            self._check_stop()
            self._start(waiting)
            for outcome in self._finished():
                if outcome.race and outcome.run.name not in tried:
                    tried.add(outcome.run.name)
                    waiting.append(outcome.run)
                    yield outcome
                else:
                    yield Outcome(outcome.run, outcome.seconds, outcome.log, outcome.error)
            progress(self, len(waiting))
            self.stop.wait(POLL_SECONDS)

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt

    def _start(self, waiting: deque[Run]) -> None:
        for slot, copy in enumerate(self.copies):
            if not waiting:
                return
            if slot in self.running:
                continue
            self._check_stop()
            copy.prepare(clean=not self.dirty[slot])
            self.dirty[slot] = True  # until the run has succeeded
            self.running[slot] = start(waiting.popleft(), copy, self.logs, self.folder / "site")

    def _finished(self) -> Iterator[Outcome]:
        for slot, job in list(self.running.items()):
            code = job.process.poll()
            if code is not None:
                del self.running[slot]
                clones.end_processes([job.process])  # a failed stage may have left children
                outcome = _outcome(job, code)
                self.dirty[slot] = outcome.error is not None
                yield outcome


def start(run: Run, copy: Clone, logs: Path, site: Path) -> Job:
    """Start a run as a process in its own session, and so in its own process group."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{run.name}.log"
    with log.open("wb") as output:
        return Job(run, copy, _start_process(run, copy, output, site), log)


def _start_process(run: Run, copy: Clone, output: IO[bytes], site: Path) -> subprocess.Popen:
    assignments = [text for key, value in run.setting.items() for text in ("-S", f"{key}={value}")]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "exp", "run", "-n", run.name, *assignments],
        cwd=copy.workspace,
        env=os.environ
        | {
            "PATH": programs,
            # Beside the copies, so that it is deleted with them.
            "DVC_SITE_CACHE_DIR": str(site.absolute()),
            # The copy's origin is the repository itself.
            "DVC_EXP_AUTO_PUSH": "false",
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        **OWN_GROUP,
    )


def _outcome(job: Job, code: int) -> Outcome:
    output = job.log.read_text(encoding="utf-8", errors="replace")
    if code == 0:
        if job.copy.collect(job.run.name):
            measurements.collect_trainings(job.copy.workspace)
            return Outcome(job.run, job.elapsed, job.log)
        return Outcome(job.run, job.elapsed, job.log, "DVC made no experiment")
    error = last_error(output, code)
    return Outcome(job.run, job.elapsed, job.log, error, is_race(output))
