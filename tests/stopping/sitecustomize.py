"""Stops a stage at a moment that the environment names; Python imports this when it starts.

FAULT is JSON: `script` as in the command line of the stage; `steps`, pairs of an audit event
(https://docs.python.org/3/library/audit_events.html) and a pattern of paths, to be seen in this
order; `told`, the file that gets the process id at the last step. The step itself comes after
SIGCONT. The stage's own code runs as it is.
"""

import fnmatch
import json
import os
import signal
import sys


def _watch(steps, told):
    waiting = list(steps)

    def seen(event, arguments):
        if not waiting or event != waiting[0][0]:
            return
        path = arguments[1] if event == "os.rename" else arguments[0]  # of a renaming: the target
        if not isinstance(path, str | os.PathLike):
            return
        if fnmatch.fnmatch(os.path.relpath(path), waiting[0][1]):
            waiting.pop(0)
            if not waiting:
                with open(f"{told}.new", "w") as file:
                    file.write(f"{os.getpid()}")
                os.replace(f"{told}.new", told)
                os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(seen)


if "FAULT" in os.environ:
    _fault = json.loads(os.environ["FAULT"])
    if sys.orig_argv[1:2] == [_fault["script"]]:
        _watch(_fault["steps"], _fault["told"])
