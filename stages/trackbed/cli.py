"""The program `trackbed`: its commands lie in trackbed.commands, one module each.

The module of a command has HELP (one line), DESCRIPTION, `add_arguments(parser)` and
`run(arguments)`, which returns an exit code, or None for 0. It imports slow modules inside `run`,
so that help stays quick.
"""

import argparse
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from trackbed.pipeline.errors import UserError
from trackbed.pipeline.operating_system import print_anything

# In the order of the help; the modules of trackbed.commands.
COMMANDS = (
    "new",
    "update",
    "recipe",
    "scan",
    "manifest",
    "add",
    "leak",
    "heads",
    "sweep",
    "best",
    "suspects",
    "explain",
    "drift",
    "curves",
    "compare",
    "gate",
    "verify",
    "predict",
    "serve",
)
# A place that cannot be read or written.
NO_ACCESS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.EISDIR}
NO_ACCESS |= {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
INTERRUPTED = 130  # what a shell reports after Ctrl-C
CLOSED_PIPE = 141  # what a shell reports of a program whose reader has gone


class PrintVersion(argparse.Action):
    """Print the version, which is looked up only then, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """End the process with exit code 0."""
        from trackbed.creation import project_files

        print(f"trackbed {project_files.version()}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, like a UserError."""

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        self.exit(UserError.exit_code, f"{self.prog}: {message}. See `{self.prog} --help`.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name (None: those of the process); the exit code.

    Where the reader of the output has gone (`trackbed ... | head -n 1`) it ends without a message.
    """
    code = 0
    _open_closed_streams()
    print_anything()
    try:
        try:
            code = _exit_code(arguments)
        finally:
            # At the end of the process Python would flush them and complain.
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        _discard_output()
        return code or CLOSED_PIPE
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise
        _discard_output()
        print("trackbed: no space left on the disk; free some and repeat.", file=sys.stderr)
        return UserError.exit_code
    return code


def _open_closed_streams() -> None:
    """Let standard streams that the caller has closed (`2>&-`) lead nowhere.

    Python has None in their place, and the next file that is opened takes their number.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _exit_code(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    parsed = parser(_named(given)).parse_args(given)
    try:
        return parsed.run(parsed) or 0
    except UserError as problem:
        return _reported(problem, parsed.debug)
    except ModuleNotFoundError as problem:
        package = (problem.name or "").partition(".")[0]
        if package in ("", "trackbed"):
            raise
        return _reported(
            UserError(
                f"this command needs the package {package}, which is not installed. "
                "Run `pip install 'trackbed[pipeline]'`."
            ),
            parsed.debug,
        )
    except OSError as problem:
        if problem.errno not in NO_ACCESS or not problem.filename:
            raise
        return _reported(UserError(f"{problem.filename}: {problem.strerror}."), parsed.debug)
    except KeyboardInterrupt:
        return INTERRUPTED


def _reported(problem: UserError, debug: bool) -> int:
    """Print an error; its exit code."""
    if debug:
        traceback.print_exc()
    print(f"trackbed: {problem}", file=sys.stderr)
    return problem.exit_code


def _discard_output() -> None:
    """What is still in the buffers goes nowhere; https://docs.python.org/3/library/signal.html"""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


def _named(arguments: Sequence[str]) -> Sequence[str]:
    """The command that arguments name; all of them where help, or an error, lists them."""
    first = next((one for one in arguments if not one.startswith("-")), None)
    return (first,) if first in COMMANDS else COMMANDS


def parser(names: Sequence[str] = COMMANDS) -> Parser:
    """The parser of the program with those of some commands; no other command is imported."""
    program = Parser(
        prog="trackbed", description="Tools around the pipeline, which `dvc repro` itself runs."
    )
    program.add_argument("--version", action=PrintVersion, nargs=0, help="show the version")
    program.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = program.add_subparsers(metavar="COMMAND", title="commands", required=True)
    for name in names:
        add_command(commands, importlib.import_module(f"trackbed.commands.{name}"))
    return program


def add_command(commands: "argparse._SubParsersAction", module: ModuleType) -> None:
    """Add the parser of a command, which is called as its module is."""
    parser = commands.add_parser(
        module.__name__.rpartition(".")[2],
        help=module.HELP,
        description=module.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
