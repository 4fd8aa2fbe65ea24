"""Fail unless the scores of the workspace are those of the last commit, but for rounding."""

import json
import math
import subprocess
import sys
from pathlib import Path

SCORES = "metrics/evaluate.json"
# Processors add in different orders, so the last digits of a float32 probability differ.
TOLERANCE = 1e-4


def same(first: float | str | None, second: float | str | None) -> bool:
    """Whether two scores agree; null and text agree with themselves alone."""
    if not (isinstance(first, int | float) and isinstance(second, int | float)):
        return first == second
    return math.isclose(first, second, rel_tol=0, abs_tol=TOLERANCE)


def scores(text: bytes) -> dict[str, float | str | None]:
    """All scores of the file; those that DVC does not show are in the list `details`."""
    values = json.loads(text)
    (details,) = values.pop("details", [{}])
    return values | details


def main() -> int:
    """Print the scores that differ; the exit code."""
    process = subprocess.run(["git", "show", f"HEAD:{SCORES}"], capture_output=True, check=True)
    committed, computed = scores(process.stdout), scores(Path(SCORES).read_bytes())
    different = [
        name
        for name in sorted(committed | computed)
        if not (name in committed and name in computed and same(committed[name], computed[name]))
    ]
    for name in different:
        values = f"committed {committed.get(name)}, computed here {computed.get(name)}"
        print(f"FAILED: {SCORES}, {name}: {values}", file=sys.stderr)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
