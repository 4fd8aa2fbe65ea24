"""A new folder that appears whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError

UNFINISHED = ".trackbed-new.partial"


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """An empty folder whose content moves into `folder` when the block ends without an error.

    `folder` is new or empty. After an error, or Ctrl-C, it is as it was before: not there, or
    empty. What a killed process has left is removed. Raises UserError where it holds anything, or
    cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    unfinished = folder / UNFINISHED
    refuse_used(folder)
    _make(unfinished)
    moved: list[Path] = []
    try:
        yield unfinished
        for path in sorted(unfinished.iterdir()):
            moved.append(folder / path.name)
            operating_system.move(path, folder / path.name)
        unfinished.rmdir()
    except BaseException:
        for path in (*moved, unfinished):
            _remove(path)
        for path in missing:
            with suppress(OSError):  # it holds a file that is not ours
                path.rmdir()
        raise


def refuse_used(folder: Path) -> None:
    """Raise UserError where a folder holds anything, or is none."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder}: there already, and not a folder. Name a new one.")
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names and names != [UNFINISHED]:
        raise UserError(
            f"{folder}: not empty; it holds {', '.join(names[:3])}{', ...' if names[3:] else ''}. "
            "Name a new or an empty folder; nothing is ever overwritten."
        )


def _make(path: Path) -> None:
    try:
        if path.exists():
            operating_system.remove_folder(path)
        path.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"{path.parent}: cannot be made ({error.filename}: {error.strerror})."
        ) from None


def _remove(path: Path) -> None:
    with suppress(OSError):
        operating_system.remove_folder(path) if path.is_dir() else path.unlink(missing_ok=True)
