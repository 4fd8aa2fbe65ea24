"""The pictures of a project: a copy that DVC keeps, or the folder where they are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trackbed.pipeline.errors import NoSpace, UserError

# Where a project has its copy.
PLACE = "data/pictures"
# What else a project needs at first, in bytes: its files and results.
RESERVED = 2**27


@dataclass(frozen=True)
class Amount:
    """What lies in a folder."""

    files: int
    size: int  # bytes

    def __str__(self) -> str:
        return f"{self.files:,} files, {readable(self.size)}"


def readable(size: int) -> str:
    """A number of bytes for people, in powers of ten."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= limit:
            return f"{size / limit:.1f} {unit}"
    return f"{size} bytes"


def amount(folder: Path) -> Amount:
    """The regular files in a folder, at any depth. Nothing is opened."""
    sizes = list(_sizes(folder))
    return Amount(len(sizes), sum(sizes))


def _sizes(folder: Path) -> Iterator[int]:
    for above, _, names in os.walk(folder):
        for name in names:
            path = Path(above, name)
            if path.is_file():
                yield path.stat().st_size


def links_work(folder: Path) -> bool:
    """Whether two names in a folder can stand for one file, so that DVC need not copy it."""
    first, second = folder / ".first.partial", folder / ".second.partial"
    first.touch()
    try:
        os.link(first, second)
    except OSError:
        return False
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
    return True


def refuse_full_disk(folder: Path, size: int) -> None:
    """Raise NoSpace where so many bytes have no room on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    if size + RESERVED > free:
        raise NoSpace(
            f"{folder}: the pictures need {readable(size)}, and {readable(free)} are free. Use "
            "--link to leave them where they are, or choose another disk."
        )


def copy_into(project: Path, pictures: Path) -> list[str]:
    """Have DVC copy the pictures to PLACE in a project; the files that git is to track.

    The copy lies in DVC's cache, and PLACE holds links to it where the disk knows them. Raises
    UserError with DVC's message where that fails.
    """
    (project / PLACE).parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "dvc", "add", str(pictures.resolve()), "--out", PLACE]
    done = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise UserError(f"{pictures}: `dvc add` failed; its message is above.")
    return [f"{PLACE}.dvc", "data/.gitignore"]
