"""Why a run failed, from what it printed."""

import re

# Two DVC processes met; nothing is wrong with the run itself.
RACES = re.compile(
    r"Unable to acquire lock|is busy, it is being blocked by|database is locked|"
    r"Failed to acquire rwlock|LockError|index\.lock|cannot lock ref|rwlock.*(corrupt|invalid)",
    re.IGNORECASE,
)
# The command of a stage ran and did not succeed, for example because training diverged.
STAGE = re.compile(r"^ERROR: failed to reproduce '.*failed to run: ", re.MULTILINE)
DVC = re.compile(r"^ERROR: |^For support, |^Having any troubles\?|^\s*$")


def is_race(output: str) -> bool:
    """Whether the run died of a collision with another process, so that a second try may do.

    Never where a stage's own command failed: that would fail again.
    """
    return bool(RACES.search(output)) and not STAGE.search(output)


def last_error(output: str, exit_code: int) -> str:
    """The line that says best what went wrong: the failing stage's last one, else DVC's."""
    lines = output.splitlines()
    if STAGE.search(output):
        end = next(number for number, line in enumerate(lines) if STAGE.match(line))
        said = [line for line in lines[:end] if line.strip() and not line.startswith("> ")]
        return said[-1].strip() if said else lines[end]
    if exit_code < 0:
        return f"ended by signal {-exit_code}"
    told = [line for line in lines if line.startswith("ERROR: ")]
    told = told or [line for line in lines if not DVC.match(line)]
    return told[-1].strip() if told else f"exit code {exit_code} without a word"
