"""Which software and which revision of the code a result comes from."""

import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("tensorflow", "keras", "dvc", "dvclive", "scikit-learn", "numpy", "pillow")
# What makes a result; outputs that the pipeline wrote a moment ago do not count.
CODE = ("stages", "dvc.yaml", "params.yaml")
PATIENCE = 20  # seconds


@dataclass(frozen=True)
class Revision:
    """A commit ('unknown' outside a repository), and whether the code differs from it."""

    commit: str
    changed: bool

    @property
    def known(self) -> bool:
        """Whether there is a commit."""
        return self.commit != "unknown"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter, without importing them."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def revision() -> Revision:
    """The git revision of the current folder."""
    commit = git("rev-parse", "--verify", "HEAD")
    if commit is None:
        return Revision("unknown", changed=False)
    status = git("status", "--porcelain", "--", *CODE)
    return Revision(commit, changed=bool(status))


def git(*arguments: str) -> str | None:
    """What git prints, or None where it is missing, refuses or does not answer."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
