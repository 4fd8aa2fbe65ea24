"""One run of one contestant: `contestant.py module:function '{"task": ..., "arguments": ...}'`.

Prints, as the last line, what it measured and the peak memory of this process and of the largest
of those it started, in JSON.
"""

import importlib
import json
import resource
import sys
import time
from pathlib import Path

from speed.bench import Task

BEGUN = time.perf_counter()


def main(address: str, given: str) -> None:
    """Run the function of the module and print what it returns."""
    module, function = address.split(":")
    values = json.loads(given)
    task = values["task"]
    for name in ("shared", "work", "photographs"):
        task[name] = task[name] and Path(task[name])
    run = getattr(importlib.import_module(module), function)
    measured = run(Task(**task, begun=BEGUN), **values["arguments"])
    print("\n" + json.dumps({"measured": measured, "peak": _peak()}), flush=True)


def _peak() -> float:
    """MB, 10**6 bytes; Linux counts resident memory in KiB."""
    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return max(resource.getrusage(each).ru_maxrss for each in who) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
