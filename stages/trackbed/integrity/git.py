"""The git repository around the current folder: revisions, references, files of a commit."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from trackbed.pipeline.errors import UserError
from trackbed.pipeline.operating_system import OWN_GROUP


def run(*arguments: str, folder: Path | None = None, stdin: bytes | None = None) -> bytes:
    """Standard output of a git command. Raises UserError with git's message if it fails.

    folder: where to run it; None: in the current folder. stdin: its standard input.
    """
    try:
        process = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=stdin,
            capture_output=True,
            check=True,
            # In the terminal's own group Ctrl-C would end it half-way through.
            **OWN_GROUP,
        )
    except FileNotFoundError:
        raise UserError("git: no such program. Install git.") from None
    except subprocess.CalledProcessError as error:
        message = error.stderr.decode("utf-8", "replace").strip()
        raise UserError(f"git {arguments[0]}: {message}") from None
    return process.stdout


def commit(revision: str = "HEAD") -> str:
    """The full hash of a revision's commit. Raises UserError where there is none."""
    return line("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def root() -> Path:
    """The top folder of the git repository."""
    return Path(line("rev-parse", "--show-toplevel"))


def prefix() -> str:
    """The current folder relative to the top folder: '' or a path that ends in a slash."""
    return line("rev-parse", "--show-prefix")


def line(*arguments: str) -> str:
    """The output of a git command as text without white space around it, see `run`."""
    return run(*arguments).decode("utf-8", "replace").strip()


def references(pattern: str) -> dict[str, str]:
    """The commit of every reference below a prefix such as 'refs/exps/ab/cd', by name."""
    output = run("for-each-ref", "--format=%(objectname) %(refname)", pattern).decode("utf-8")
    return {name: sha for sha, _, name in (row.partition(" ") for row in output.splitlines())}


def file_contents(wanted: Sequence[tuple[str, str]]) -> list[bytes | None]:
    """The files (commit, path below the current folder); None where a commit has no such file."""
    if not wanted:
        return []
    below = prefix()
    names = "".join(f"{sha}:{below}{path}\n" for sha, path in wanted)
    return list(_objects(run("cat-file", "--batch", stdin=names.encode("utf-8")), len(wanted)))


def files(commit: str) -> list[str]:
    """Paths below the current folder that a commit holds."""
    return _paths("ls-tree", "-r", "-z", "--name-only", commit)


def changed_paths(first: str, second: str) -> list[str]:
    """Paths below the current folder in which two commits differ."""
    return _paths("diff", "--name-only", "--relative", "--no-renames", "-z", first, second, "--")


def uncommitted() -> tuple[list[str], list[str]]:
    """Untracked paths below the current folder, and tracked ones that differ from HEAD.

    Paths that .gitignore names are in neither list.
    """
    untracked = _paths("ls-files", "--others", "--exclude-standard", "-z")
    return untracked, _paths(
        "diff", "--name-only", "--relative", "--no-renames", "-z", "HEAD", "--"
    )


def _paths(*arguments: str) -> list[str]:
    output = run(*arguments)
    return sorted(path.decode("utf-8", "replace") for path in output.split(b"\0") if path)


def _objects(output: bytes, count: int) -> Iterable[bytes | None]:
    """Parse `git cat-file --batch`.

    Each object is `<sha> blob <bytes>`, its content and a line feed, or `<name> missing`.
    """
    position = 0
    for _ in range(count):
        end = output.index(b"\n", position)
        *_, kind, length = output[position:end].split(b" ")
        position = end + 1
        if not length.isdigit():
            yield None
            continue
        yield output[position : position + int(length)] if kind == b"blob" else None
        position += int(length) + 1
