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

from trackbed.experiments import worktrees
from trackbed.experiments.runs import Run
from trackbed.experiments.worktrees import Worktree

# Two DVC processes met; nothing is wrong with the run itself.
RACES = re.compile(
    r"Unable to acquire lock|is busy, it is being blocked by|database is locked|"
    r"Failed to acquire rwlock|LockError|index\.lock|cannot lock ref|rwlock.*(corrupt|invalid)",
    re.IGNORECASE,
)
# The command of a stage ran and did not succeed, for example because training diverged.
STAGE_FAILED = re.compile(r"^ERROR: failed to reproduce '.*failed to run: ", re.MULTILINE)
DVC_NOISE = re.compile(r"^ERROR: |^For support, |^Having any troubles\?|^\s*$")


def is_race(output: str) -> bool:
    """Whether the run died of a collision with another process, so that a second try may do.

    Never where a stage's own command failed: that would fail again.
    """
    return bool(RACES.search(output)) and not STAGE_FAILED.search(output)


def last_error(output: str, exit_code: int) -> str:
    """The line that says best what went wrong: the failing stage's last one, else DVC's."""
    lines = output.splitlines()
    if STAGE_FAILED.search(output):
        end = next(number for number, line in enumerate(lines) if STAGE_FAILED.match(line))
        said = [line for line in lines[:end] if line.strip() and not line.startswith("> ")]
        return said[-1].strip() if said else lines[end]
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    told = [line for line in lines if line.startswith("ERROR: ")]
    told = told or [line for line in lines if not DVC_NOISE.match(line)]
    return told[-1].strip() if told else f"exit code {exit_code} without a word"


POLL_SECONDS = 0.1  # seconds between two looks at the processes


@dataclass(frozen=True)
class Outcome:
    """How a run ended; error: the line that tells why it failed, None if it did not.

    race: whether it died of a collision with another process and is tried once more.
    """

    run: Run
    seconds: float
    log: Path
    error: str | None = None
    race: bool = False


@dataclass
class Job:
    """A run under way in a copy."""

    run: Run
    copy: Worktree
    process: subprocess.Popen
    log: Path
    begun: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.begun


class Launcher:
    """A pool of `jobs` copies below `folder`, in which runs take place; a context manager.

    Whatever ends the block, no process of a run and no copy is left. Logs go to `logs`, one
    file per run. `stop` may be set from a signal handler.
    """

    def __init__(self, folder: Path, logs: Path, baseline: str, jobs: int) -> None:
        self.folder, self.logs, self.jobs = folder, logs, jobs
        self.copies = [Worktree(folder / str(number), baseline) for number in range(jobs)]
        self.broken = [True] * jobs  # a copy that an earlier, killed sweep left is not trusted
        self.running: dict[int, Job] = {}
        self.stop = threading.Event()

    def __enter__(self) -> "Launcher":
        return self

    def __exit__(self, *_: object) -> None:
        worktrees.end_processes([job.process for job in self.running.values()])
        self.running.clear()
        worktrees.remove_folder(self.folder)

    def outcomes(
        self, runs: Sequence[Run], tell: Callable[["Launcher", int], None] = lambda *_: None
    ) -> Iterator[Outcome]:
        """Every run's outcome as it ends; one that died by a race comes twice.

        tell: called now and then with this pool and the number of waiting runs. Raises
        KeyboardInterrupt when `stop` is set.
        """
        waiting, tried = deque(runs), set()
        while waiting or self.running:
            self._check_stop()
            self._start(waiting)
            for outcome in self._ended():
                if outcome.race and outcome.run.name not in tried:
                    tried.add(outcome.run.name)
                    waiting.append(outcome.run)
                    yield outcome
                else:
                    yield Outcome(outcome.run, outcome.seconds, outcome.log, outcome.error)
            tell(self, len(waiting))
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
            copy.prepare(clean=not self.broken[slot])
            self.broken[slot] = True  # until the run has ended well
            self.running[slot] = start(waiting.popleft(), copy, self.logs, self.folder / "site")

    def _ended(self) -> Iterator[Outcome]:
        for slot, job in list(self.running.items()):
            code = job.process.poll()
            if code is not None:
                del self.running[slot]
                worktrees.end_processes([job.process])  # what a failed stage may have left running
                outcome = _outcome(job, code)
                self.broken[slot] = outcome.error is not None
                yield outcome


def start(run: Run, copy: Worktree, logs: Path, site: Path) -> Job:
    """A run as a process in a session, and so in a group, of its own."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{run.name}.log"
    with log.open("wb") as output:
        return Job(run, copy, _start_process(run, copy, output, site), log)


def _start_process(run: Run, copy: Worktree, output: IO[bytes], site: Path) -> subprocess.Popen:
    assignments = [word for key, value in run.setting.items() for word in ("-S", f"{key}={value}")]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "exp", "run", "-n", run.name, *assignments],
        cwd=copy.workspace,
        env=os.environ
        | {
            "PATH": programs,
            # Beside the copies, so that it goes with them.
            "DVC_SITE_CACHE_DIR": str(site.absolute()),
            # The copy's origin is the repository itself.
            "DVC_EXP_AUTO_PUSH": "false",
            "PYTHONUNBUFFERED": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _outcome(job: Job, code: int) -> Outcome:
    output = job.log.read_text(encoding="utf-8", errors="replace")
    if code == 0:
        if job.copy.collect(job.run.name):
            return Outcome(job.run, job.elapsed, job.log)
        return Outcome(job.run, job.elapsed, job.log, "DVC made no experiment of it")
    error = last_error(output, code)
    return Outcome(job.run, job.elapsed, job.log, error, is_race(output))
