"""The git repository around the current folder: revisions, references, files of a commit."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from trackbed.pipeline.errors import UserError


def run(*arguments: str, folder: Path | None = None, given: bytes | None = None) -> bytes:
    """What a git command prints. Raises UserError with git's own words where it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=given,
            capture_output=True,
            check=True,
            # In the terminal's own group Ctrl-C would end it half-way through.
            start_new_session=True,
        )
    except FileNotFoundError:
        raise UserError("git: no such program. Install git.") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise UserError(f"git {arguments[0]}: {said}") from None
    return done.stdout


def commit(revision: str = "HEAD") -> str:
    """The full hash of a revision's commit. Raises UserError where there is none."""
    return _line("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def root() -> Path:
    """The top folder of the git repository."""
    return Path(_line("rev-parse", "--show-toplevel"))


def prefix() -> str:
    """Where the current folder lies below the top folder: '' or a path that ends in a slash."""
    return _line("rev-parse", "--show-prefix")


def references(pattern: str) -> dict[str, str]:
    """The commit of every reference below a prefix such as 'refs/exps/ab/cd', by name."""
    told = run("for-each-ref", "--format=%(objectname) %(refname)", pattern).decode("utf-8")
    return {name: sha for sha, _, name in (line.partition(" ") for line in told.splitlines())}


def file_contents(wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """The files (commit, path below the current folder); None where a commit has no such file."""
    if not wanted:
        return []
    below = prefix()
    names = "".join(f"{sha}:{below}{path}\n" for sha, path in wanted)
    return list(_objects(run("cat-file", "--batch", given=names.encode("utf-8")), len(wanted)))


def changed_paths(first: str, second: str) -> list[str]:
    """Paths below the current folder in which two commits differ."""
    told = run("diff", "--name-only", "--relative", "--no-renames", "-z", first, second, "--")
    return _split_paths(told)


def uncommitted() -> tuple[list[str], list[str]]:
    """Paths below the current folder that git does not track, and those that differ from HEAD.

    What .gitignore names is in neither.
    """
    new = run("ls-files", "--others", "--exclude-standard", "-z")
    other = run("diff", "--name-only", "--relative", "--no-renames", "-z", "HEAD", "--")
    return _split_paths(new), _split_paths(other)


def _split_paths(told: bytes) -> list[str]:
    return sorted(path.decode("utf-8", "replace") for path in told.split(b"\0") if path)


def _line(*arguments: str) -> str:
    return run(*arguments).decode("utf-8", "replace").strip()


def _objects(told: bytes, count: int) -> Iterable[bytes | None]:
    """Taken apart: `<sha> blob <bytes>`, the content and a line feed, or `<name> missing`."""
    place = 0
    for _ in range(count):
        end = told.index(b"\n", place)
        *_, kind, length = told[place:end].split(b" ")
        place = end + 1
        if not length.isdigit():
            yield None
            continue
        yield told[place : place + int(length)] if kind == b"blob" else None
        place += int(length) + 1
