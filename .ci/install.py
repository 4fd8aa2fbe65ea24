"""Install lock files into the environment of this Python: with uv, or with pip if uv fails.

Usage: .venv/bin/python .ci/install.py [--pip] LOCK ...
On Windows: .venv\\Scripts\\python .ci/install.py [--pip] LOCK ...

uv is installed first, from requirements-uv.lock. It reads no configuration of pip, so its index,
proxy and certificate settings are handed over in the environment; a UV_ variable that is already
set stays. Every file must match a hash of the lock, with either installer. --pip skips uv.
On a terminal the installer shows its progress; elsewhere it is silent.
The exit code is that of the installer. On Windows, where no make does it, the program trackbed
is written too; it runs the code of this folder.
"""

import ast
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

UV_LOCK = Path(__file__).parents[1] / "requirements-uv.lock"
QUIET = [] if sys.stderr.isatty() else ["--quiet"]
PIP = [sys.executable, "-m", "pip", "install", *QUIET, "--require-hashes"]
# A lock names every package, so uv need not fetch their metadata to look for dependencies.
UV = ["-m", "uv", "pip", "install", *QUIET, "--no-deps", "--require-hashes", "--python"]
# Option of pip -> variable that uv reads.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
PROGRAM = """\
@"%~dp0python.exe" -c "import sys; sys.path[0] = sys.argv.pop(1); \
from trackbed.cli import main; sys.exit(main())" "%~dp0..\\..\\stages" %*
"""
SECTIONS = ("global.", "install.", ":env:.")  # of pip's configuration; a later one wins


def pip_options(listing: str) -> dict[str, str]:
    """Option -> value, from what `pip config list` prints."""
    lines = [line.partition("=") for line in listing.splitlines() if "=" in line]
    given = {name: f"{ast.literal_eval(value)}" for name, _, value in lines}
    return {
        name.removeprefix(section): value
        for section in SECTIONS
        for name, value in given.items()
        if name.startswith(section)
    }


def uv_environment(options: dict[str, str]) -> dict[str, str]:
    """Variables that make uv ask the indexes of pip's options in the same way."""
    found = {variable: options[name] for name, variable in VARIABLES.items() if options.get(name)}
    if "UV_FIND_LINKS" in found:
        found["UV_FIND_LINKS"] = ",".join(found["UV_FIND_LINKS"].split())
    if "UV_INDEX" in found:
        found["UV_INDEX"] = " ".join(found["UV_INDEX"].split())
        # As pip does; the hashes of the lock decide which file is taken.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def with_uv(locks: list[str]) -> bool:
    """Install the locks with uv; whether that worked."""
    pinned = UV_LOCK.read_text("utf-8").partition("uv==")[2].split()[0]
    there = pinned in {one.version for one in metadata.distributions(name="uv")}
    if not there and subprocess.run([*PIP, "-r", UV_LOCK], check=False).returncode:
        return False
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    options = pip_options(listing)
    command = [sys.executable, *UV, sys.executable]
    if options.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        command.append("--no-index")
    environment = uv_environment(options) | os.environ
    return subprocess.run([*command, *_files(locks)], env=environment, check=False).returncode == 0


def with_pip(locks: list[str]) -> int:
    """Install the locks with pip; its exit code."""
    return subprocess.run([*PIP, *_files(locks)], check=False).returncode


def write_program(folder: Path) -> None:
    """Write trackbed.cmd into a folder beside python.exe."""
    (folder / "trackbed.cmd").write_text(PROGRAM, encoding="ascii", newline="\r\n")


def _files(locks: list[str]) -> list[str]:
    return [word for lock in locks for word in ("-r", lock)]


def main(*arguments: str) -> int:
    """Install the locks; the exit code."""
    locks = [one for one in arguments if one != "--pip"]
    if not locks:
        sys.exit(__doc__)
    if sys.platform == "win32":
        write_program(Path(sys.executable).parent)
    if "--pip" not in arguments:
        if with_uv(locks):
            return 0
        print("uv could not install it; installing with pip, which takes longer", file=sys.stderr)
    return with_pip(locks)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
