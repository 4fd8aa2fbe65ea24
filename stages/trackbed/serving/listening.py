"""The socket that the server listens on."""

from __future__ import annotations

import errno
import socket

from trackbed.pipeline.errors import UserError

BACKLOG = 1024


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address of this machine; port 0: any free one.

    host: a name, an IPv4 or an IPv6 address. Raises UserError where that is not possible.
    """
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        # On Windows SO_REUSEADDR would let two programs listen at one port.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        option = socket.SO_REUSEADDR if exclusive is None else exclusive
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise UserError(f"--host {host} --port {port}: {_reason(error, host)}") from None
    listener.setblocking(False)
    return listener


def url(listener: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def is_loopback(listener: socket.socket) -> bool:
    """Whether other machines cannot reach it."""
    host = listener.getsockname()[0]
    return host == "::1" or host.startswith("127.")


def _reason(error: OSError, host: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"{host} is no name or address that is known here."
    return {
        errno.EADDRINUSE: "another program listens there. Choose another --port (0: a free one).",
        errno.EACCES: "ports below 1024 need more rights. Choose another --port.",
        errno.EADDRNOTAVAIL: f"{host} is no address of this machine.",
        errno.EAFNOSUPPORT: f"this machine has no addresses such as {host}.",
    }.get(error.errno or 0, f"{error.strerror}.")
