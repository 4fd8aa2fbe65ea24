"""Stops a stage at a moment that the environment names; Python imports this when it starts.

FAULT is JSON: `script`, the end of the program's path; `steps`, pairs of an audit event
(https://docs.python.org/3/library/audit_events.html; "write" is an "open" for writing) and a
pattern of paths, to be seen in this order; `pid_file`, which gets the process id at the last step,
which itself comes after SIGCONT. The program's own code runs as it is.
"""

import fnmatch
import json
import os
import signal
import sys


def _watch(steps, pid_file):
    waiting = list(steps)

    def seen(event, arguments):
        if event == "open" and waiting and waiting[0][0] == "write":
            event = "write" if arguments[2] & (os.O_WRONLY | os.O_RDWR) else event
        if not waiting or event != waiting[0][0]:
            return
        path = arguments[1] if event == "os.rename" else arguments[0]  # of a renaming: the target
        if not isinstance(path, str | os.PathLike):
            return
        if fnmatch.fnmatch(os.path.relpath(path), waiting[0][1]):
            waiting.pop(0)
            if not waiting:
                with open(f"{pid_file}.new", "w") as file:
                    file.write(f"{os.getpid()}")
                os.replace(f"{pid_file}.new", pid_file)
                os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(seen)


if "FAULT" in os.environ:
    _fault = json.loads(os.environ["FAULT"])
    if sys.orig_argv[1:] and sys.orig_argv[1].endswith(_fault["script"]):
        _watch(_fault["steps"], _fault["pid_file"])
