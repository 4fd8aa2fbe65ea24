"""Problems that a user can mend, told in words instead of a traceback."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path

EXIT_CODE = 2


class Problem(Exception):
    """What is wrong, where it is, and what to do; the text is shown to the user as it stands."""


def run(main: Callable[..., None]) -> None:
    """Call a stage's main with the paths from the command line.

    Every parameter of main is a path. A Problem ends the process with exit code 2 and its
    text on stderr.
    """
    script = Path(sys.argv[0])
    names = list(inspect.signature(main).parameters)
    if len(sys.argv) - 1 != len(names):
        usage = " ".join(name.upper() for name in names)
        sys.exit(f"usage: python {script} {usage}")
    try:
        main(*map(Path, sys.argv[1:]))
    except Problem as problem:
        print(f"{script.stem}: {problem}", file=sys.stderr)
        sys.exit(EXIT_CODE)
