"""`trackbed serve`: an exported model over HTTP."""

import argparse
import math
import os
from pathlib import Path
from typing import Any

HELP = "serve an exported model over HTTP, with a web page"
DESCRIPTION = """\
Serve the exported model in FOLDER over HTTP: a web page to drop pictures on, POST /predict for
programs, the Open Inference Protocol below /v2, /metrics for Prometheus, and the description of
all that at /docs. Pictures are checked and decoded as the build does it, and the answers are those
of `trackbed predict`. Nothing is stored, and nothing is sent elsewhere.

Only this machine can reach it, unless --host names another address. A token from --token-file or
the environment variable TRACKBED_TOKEN keeps others out; there is no encryption, for which a
proxy in front of it is the place. SIGHUP, or other files in FOLDER, load the model again without
losing a request; a damaged one is refused, and the old one goes on. SIGTERM answers the requests
that have begun, then ends.

exit code: 0 after SIGTERM, 130 after Ctrl-C, 2 wrong arguments, no model, or an address in use,
4 a damaged model. Needs the extra `serve`: `make serve` in a clone."""
PACKAGES = ("onnxruntime", "prometheus_client", "python_multipart", "starlette", "uvicorn")


def _number(least: float, whole: bool = False) -> Any:
    def parsed(text: str) -> float:
        value = int(text) if whole else float(text)
        if not math.isfinite(value) or value < least:
            raise argparse.ArgumentTypeError(f"must be {least:g} or more")
        return value

    parsed.__name__ = "whole number" if whole else "number"
    return parsed


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be 0 to 65535")
    return value


_port.__name__ = "port"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("exported"),
        metavar="FOLDER",
        help="of the exported model; default: exported",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; default: 127.0.0.1")
    add("--port", type=_port, default=8000, metavar="N", help="default: 8000; 0: any free one")
    add("--name", default="trackbed", help="of the model in /v2/models/NAME; default: trackbed")
    add("--token-file", type=Path, metavar="FILE", help="file with the token that requests need")
    _add_counts(parser)
    _add_seconds(parser)
    add("--log-requests", action="store_true", help="one line per request on stderr")


def _add_counts(parser: argparse.ArgumentParser) -> None:
    """Options that are whole numbers: name, least, default, meaning."""
    for name, least, default, meaning in (
        ("--max-bytes", 1, 32 * 2**20, "of one request; default: 33554432"),
        ("--max-files", 1, 64, "of one request; default: 64"),
        ("--max-pixels", 1, None, "of one picture, if less than the model's data.max_pixels"),
        (
            "--queue",
            0,
            256,
            "pictures that may wait; beyond it requests get status 503; default: 256",
        ),
        ("--threads", 0, 0, "that decode and predict; default: one per core"),
    ):
        kind = _number(least, whole=True)
        parser.add_argument(name, type=kind, default=default, metavar="N", help=meaning)


def _add_seconds(parser: argparse.ArgumentParser) -> None:
    """Options that are seconds: name, least, default, meaning."""
    for name, least, default, meaning in (
        ("--timeout", 0.1, 15, "that a client may pause within a request; default: 15"),
        ("--drain", 1, 30, "for requests that have begun, after SIGTERM; default: 30"),
        (
            "--watch",
            0,
            2,
            "between two looks for another model in FOLDER; default: 2; 0: only on SIGHUP",
        ),
    ):
        kind = _number(least)
        parser.add_argument(name, type=kind, default=default, metavar="SECONDS", help=meaning)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes; the exit code. Raises UserError."""
    _require_packages()
    # Threads share the pictures; more of them for a product of small matrices only cost time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from trackbed.serving import access, listening, server

    name = arguments.name
    token = access.read_token(arguments.token_file)
    service = _service(arguments, token)
    listener = listening.listening_socket(arguments.host, arguments.port)
    model = service.slot.current
    print(f"{name}, version {model.version}: {model.summary}")
    if token is None and not listening.is_loopback(listener):
        print("Anyone who reaches this address can use it; --token-file asks for a token.")
    return server.run(
        service,
        listener,
        seconds=arguments.timeout,
        watch=arguments.watch,
        drain=arguments.drain,
        log_requests=arguments.log_requests,
    )


def _service(arguments: argparse.Namespace, token: str | None) -> Any:
    from functools import partial

    from trackbed.creation import project_files
    from trackbed.serving import served_model
    from trackbed.serving.model_slot import ModelSlot
    from trackbed.serving.monitoring import Monitoring
    from trackbed.serving.request_body import BodyReader
    from trackbed.serving.service import Service
    from trackbed.serving.work_queue import WorkQueue

    folder = arguments.folder
    load = partial(served_model.load, folder, arguments.max_pixels)
    queue = WorkQueue(arguments.threads or os.cpu_count() or 1, arguments.queue)
    monitoring = Monitoring(lambda: queue.count)
    return Service(
        name=_checked_name(arguments.name),
        version=project_files.version(),
        slot=ModelSlot(load, folder, monitoring),
        queue=queue,
        bodies=BodyReader(arguments.max_bytes, arguments.timeout),
        monitoring=monitoring,
        most_files=arguments.max_files,
        token=token,
    )


def _checked_name(name: str) -> str:
    """The name, which stands in a path. Raises UserError."""
    import re

    from trackbed.pipeline.errors import UserError

    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UserError(f"--name {name}: letters, digits, dots, hyphens and underscores only.")
    return name


def _require_packages() -> None:
    """Raise UserError where the extra is not installed."""
    from importlib.util import find_spec

    from trackbed.pipeline.errors import UserError

    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise UserError(
            f"not installed: {', '.join(missing)}. In a clone of the project run `make serve`, "
            "elsewhere `pip install 'trackbed[serve]'`, both described in docs/serve.md."
        )
