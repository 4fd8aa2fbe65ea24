"""Merge the files of the installed version into a project that an older one made."""

import tempfile
from pathlib import Path

from trackbed.creation import first_commits, project_files
from trackbed.integrity import git
from trackbed.pipeline.errors import UserError


def merge() -> str:
    """Merge into the current folder; what became of it, in a sentence or two.

    The files of the version in hand become a commit whose parent is the last such commit of the
    project, so that git merges what changed since then with what the user changed. Raises UserError
    outside of a project, where changes are not committed, and where git finds conflicts.
    """
    _refuse_outside()
    base = _last_files()
    new = _commit_of_files(base)
    if new is None:
        return f"The project has the files of trackbed {project_files.version()} already."
    message = f"Merge the files of trackbed {project_files.version()}"
    try:
        git.run("merge", "--no-ff", "-m", message, new)
    except UserError as problem:
        conflicts = git.line("diff", "--name-only", "--diff-filter=U").splitlines()
        if not conflicts:
            raise
        raise UserError(
            f"conflicts in {', '.join(conflicts)}: both you and trackbed changed these places. "
            "Edit them, then `git add` them and `git commit`; or `git merge --abort`."
        ) from problem
    return (
        f"{message}: done. `dvc repro` runs what it changes; `git reset --keep HEAD~1` undoes it."
    )


def _refuse_outside() -> None:
    version_file = Path("stages/trackbed", project_files.VERSION)
    if not version_file.is_file():
        raise UserError(f"{version_file}: no such file. Run in a project that `trackbed new` made.")
    if git.prefix():
        raise UserError(f"the git repository begins above, in {git.root()}; a project is its root.")
    if changed := git.uncommitted()[1]:
        raise UserError(f"{changed[0]}: has uncommitted changes. Commit them first.")


def _last_files() -> str:
    """The last commit of the files of a version."""
    pattern = f"--grep=^{first_commits.TRAILER}: "
    if found := git.line("log", "-1", "--format=%H", pattern):
        return found
    raise UserError(
        f"no commit with a line {first_commits.TRAILER}: in the history, so it is not known what "
        "the files were. A clone needs the whole history: `git fetch --unshallow`."
    )


def _commit_of_files(base: str) -> str | None:
    """A commit of the files of the version in hand; None where `base` has the same."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first_commits.start(folder, project_files.write(folder))
        git.run("fetch", "-q", place, first_commits.BRANCH)
    tree = git.line("rev-parse", "FETCH_HEAD^{tree}")
    if tree == git.line("rev-parse", f"{base}^{{tree}}"):
        return None
    message = git.run("log", "-1", "--format=%B", "FETCH_HEAD")
    return git.run("commit-tree", tree, "-p", base, stdin=message).decode().strip()
