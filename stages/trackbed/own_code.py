"""The installed program `trackbed`: in a project of its own it runs the code of the project.

So a command knows the networks that were added there, and reads files as the stages wrote them,
whatever version is installed.
"""

import sys
from pathlib import Path

from trackbed.creation.project_files import VERSION

# These bring the files of the installed version.
OF_THE_INSTALLATION = {"new", "update"}


def main() -> int:
    """Run the command of the process; the exit code."""
    code = Path.cwd() / "stages"
    command = next((one for one in sys.argv[1:] if not one.startswith("-")), None)
    if command not in OF_THE_INSTALLATION and (code / "trackbed" / VERSION).is_file():
        _import_from(code)
    from trackbed import cli

    return cli.main()


def _import_from(code: Path) -> None:
    """Have the package imported from a folder from now on, here and in processes started here."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "trackbed"]:
        del sys.modules[name]
    sys.path.insert(0, str(code))
