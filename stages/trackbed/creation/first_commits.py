"""The git repository of a project: its first commits, and those of a newer trackbed."""

import os
from collections.abc import Sequence
from pathlib import Path

from trackbed.creation import project_files
from trackbed.integrity import git
from trackbed.pipeline.errors import UserError

# The last line of the message of a commit that holds the files of a version, and nothing else.
TRAILER = "Trackbed-Version"
BRANCH = "main"


def refuse_without_identity() -> None:
    """Raise UserError where git does not know in whose name to commit."""
    try:
        for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            git.run("var", role)
    except UserError as problem:
        if "no such program" in str(problem):
            raise
        raise UserError(
            "git does not know your name, which every commit holds. Run "
            '`git config --global user.name "Your Name"` and '
            "`git config --global user.email you@example.com`, then repeat."
        ) from None


# With any of these git works in another repository, as in a hook.
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")


def refuse_inside_another(folder: Path) -> None:
    """Raise UserError where a folder lies inside a git repository or a DVC project."""
    if found := next((name for name in ELSEWHERE if name in os.environ), None):
        raise UserError(f"the variable {found} is set, so that git would use another repository.")
    for above in folder.absolute().parents:
        for name, what in ((".git", "git repository"), (".dvc/config", "DVC project")):
            if (above / name).exists():
                raise UserError(
                    f"{folder}: inside the {what} {above}. A project is a repository of its own; "
                    "name a folder elsewhere."
                )


def start(folder: Path, names: Sequence[str]) -> None:
    """Make a repository whose first commit holds the files of a project, as they come."""
    git.run("init", "-q", "-b", BRANCH, folder=folder)
    commit(folder, names, _message())


def commit(folder: Path, names: Sequence[str], message: str) -> None:
    """Commit files of the repository in a folder, ignored by git or not."""
    listed = "\0".join(names).encode("utf-8", "surrogateescape")
    git.run("add", "-f", *_NAMES_FROM_INPUT, folder=folder, stdin=listed)
    git.run("commit", "-q", "-m", message, folder=folder)


_NAMES_FROM_INPUT = ("--pathspec-from-file=-", "--pathspec-file-nul")


def _message() -> str:
    version = project_files.version()
    return f"Files of trackbed {version}\n\n{TRAILER}: {version}\n"
