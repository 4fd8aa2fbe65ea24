"""Run the server: signals, reloading, and an end that loses no request."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn

from trackbed.pictures import standard_error
from trackbed.pipeline.errors import UserError
from trackbed.serving.application import Application
from trackbed.serving.connections import Connection
from trackbed.serving.listening import url
from trackbed.serving.service import Service

logger = logging.getLogger("trackbed.serve")
# Clients keep connections that long between two requests; shorter ones break theirs.
KEEP_ALIVE_SECONDS = 75
STOPS = {signal.SIGTERM: 0, signal.SIGINT: 130}
if hasattr(signal, "SIGBREAK"):  # on Windows, whose programs get no SIGTERM from others
    STOPS[signal.SIGBREAK] = 0
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {
        # Of standard error itself a line would be lost while a TIFF file is decoded.
        "stderr": {
            "()": lambda: logging.StreamHandler(standard_error.uncaught()),
            "formatter": "line",
        }
    },
    "loggers": {
        "trackbed.serve": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "uvicorn.access": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        "python_multipart": {"level": "ERROR"},
    },
}


class Server(uvicorn.Server):
    """uvicorn's server, which ends with an exit code of its own and reloads on SIGHUP.

    Windows has no SIGHUP; there another model is found by looking for it.
    """

    def __init__(self, config: uvicorn.Config, service: Service, address: str) -> None:
        super().__init__(config)
        self.service, self.address, self.exit_code = service, address, 0
        self._tasks: set[asyncio.Task] = set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT, at once on the second one; reload on SIGHUP."""
        loop = asyncio.get_running_loop()
        actions = {number: partial(self._stop, number) for number in STOPS}
        if hasattr(signal, "SIGHUP"):
            actions[signal.SIGHUP] = self._reload
        before = {number: signal.getsignal(number) for number in actions}
        # Not the loop's add_signal_handler, which Windows lacks.
        for number in actions:
            signal.signal(number, lambda n, _: loop.call_soon_threadsafe(actions[n]))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say where."""
        await super().startup(sockets)
        print(f"serving at {self.address} (Ctrl-C stops)", flush=True)

    def _stop(self, number: int) -> None:
        if self.should_exit:
            self.force_exit = True
            return
        logger.info("stopping: requests that have begun are answered")
        self.service.is_stopping = self.should_exit = True
        self.exit_code = STOPS[signal.Signals(number)]

    def _reload(self) -> None:
        task = asyncio.get_running_loop().create_task(self._reloaded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reloaded(self) -> None:
        with suppress(UserError):  # which is logged
            await self.service.slot.reload()

    async def serve_and_watch(self, listener: socket.socket, seconds: float) -> None:
        """Serve until a signal comes; look for another model every `seconds`, 0: never."""
        watch = None
        if seconds:
            watch = asyncio.create_task(self.service.slot.watch(seconds))
        try:
            await self.serve([listener])
        finally:
            if watch is not None:
                watch.cancel()
            self.service.queue.close()


def run(
    service: Service,
    listener: socket.socket,
    *,
    seconds: float,
    watch: float,
    drain: float,
    log_requests: bool,
) -> int:
    """Serve until a signal comes; the exit code.

    seconds: that a client may take for its request. watch: between two looks for another model.
    drain: for the requests that have begun, after SIGTERM.
    """
    config = uvicorn.Config(
        Application(service),
        http=type("TimedConnection", (Connection,), {"head_seconds": seconds}),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=LOGGING,
        access_log=log_requests,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(drain)),
    )
    server = Server(config, service, url(listener))
    asyncio.run(server.serve_and_watch(listener, watch))
    return server.exit_code
