"""Known vulnerabilities in the locked dependencies, as pip-audit finds them.

Usage: python .ci/audit.py PIP_AUDIT [option of pip-audit ...]

Exit code: 0 none is known, 1 some are, 2 it could not be found out.
"""

import json
import subprocess
import sys
from pathlib import Path

FOUND, CANNOT_TELL = 1, 2
REPORT = Path(".cache/audit/report.json")
# Nothing is resolved or installed: the locks name every version and hash.
OPTIONS = ("--disable-pip", "--require-hashes", "--strict", "--progress-spinner", "off")


def main(program: str, *options: str) -> int:
    """Audit every lock of the current folder; the exit code."""
    locks = sorted(Path().glob("requirements*.lock"))
    if not locks:
        return _failed("there is no requirements*.lock here. Start it with `make audit`.")
    REPORT.unlink(missing_ok=True)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    command = [program, *OPTIONS, "--format", "json", "--output", str(REPORT), *options]
    command += [word for lock in locks for word in ("--requirement", str(lock))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return _failed(f"{program}: {error.strerror}. Start it with `make audit`.")
    if not REPORT.exists():
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return _failed(f"{last}\nIt asks pypi.org about each version; is there network access?")
    return _print_report(json.loads(REPORT.read_text("utf-8"))["dependencies"], len(locks))


def _print_report(dependencies: list[dict], locks: int) -> int:
    """Print what was found; the exit code."""
    skipped = [one for one in dependencies if "skip_reason" in one]
    if skipped or not dependencies:
        names = "; ".join(f"{one['name']}: {one['skip_reason']}" for one in skipped)
        return _failed(f"not looked up: {names or 'anything'}")
    found = [(one, known) for one in dependencies for known in one["vulns"]]
    for one, known in found:
        fixed = ", ".join(known["fix_versions"]) or "no version yet"
        names = ", ".join([known["id"], *known["aliases"]])
        print(f"{one['name']} {one['version']}: {names}; fixed in {fixed}")
    print(f"audited {len(dependencies)} packages of {locks} locks: {len(found)} known to be unsafe")
    if found:
        print("FAILED: raise their versions in pyproject.toml, then `make lock`", file=sys.stderr)
    return FOUND if found else 0


def _failed(reason: str) -> int:
    print(f"COULD NOT AUDIT: {reason}", file=sys.stderr)
    return CANNOT_TELL


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
