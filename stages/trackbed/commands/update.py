"""`trackbed update`: merge a newer trackbed into a project."""

import argparse

HELP = "merge the files of the installed version into a project that `trackbed new` made"
DESCRIPTION = """\
Merge the files of the installed trackbed (stages, package, docs, recipes, locked packages and new
keys of params.yaml) into the project in the current folder, as a commit. What you changed stays;
where both changed the same lines, git says so, and you decide.

Install the newer version first. exit code: 0 merged, or nothing to merge; 2 conflicts, or
uncommitted changes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command has no arguments."""


def run(arguments: argparse.Namespace) -> None:
    """Merge, and print what became of it. Raises UserError."""
    from trackbed.creation import first_commits, newer_files

    first_commits.refuse_without_identity()
    print(newer_files.merge())
