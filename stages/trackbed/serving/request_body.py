"""Bodies of requests, read as they come: bounded in bytes, in time and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from trackbed.serving import refusals
from trackbed.serving.refusals import Refused, busy, too_large

# A client that sends less in the long run is cut off.
LEAST_RATE = 1000  # bytes a second
# All bodies in memory together are at most this many times the largest allowed body.
BODIES = 8


@dataclass
class Reservation:
    """The bytes that one request holds of a budget."""

    held: int = 0


class BodyReader:
    """Reads bodies of at most `limit` bytes, each of whose parts arrives within `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self._free = BODIES * limit

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """What holds memory of the budget until the block ends."""
        reservation = Reservation()
        try:
            yield reservation
        finally:
            self._free += reservation.held

    async def whole(self, request: Request, reservation: Reservation) -> bytes:
        """The body of a request. Raises Refused as `chunks` does, and for an empty one."""
        body = b"".join([chunk async for chunk in self.chunks(request, reservation)])
        if not body:
            raise Refused(400, refusals.EMPTY_BODY, "The request has no body.")
        return body

    async def chunks(self, request: Request, reservation: Reservation) -> AsyncIterator[bytes]:
        """The body of a request in parts.

        Raises Refused: 413 for too many bytes, where possible before the first is read, 408 for
        a client that is too slow, 415 for a compressed body, 503 without memory; and
        ClientDisconnect.
        """
        self._check_headers(request)
        loop, received = asyncio.get_running_loop(), 0
        start = loop.time()
        while True:
            left = start + self.seconds + received / LEAST_RATE - loop.time()
            message = await self._message(request, min(left, self.seconds))
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            received += len(chunk)
            if received > self.limit:
                raise too_large(f"more than {self.limit:,}", self.limit)
            self._take(reservation, len(chunk))
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return

    def _check_headers(self, request: Request) -> None:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Refused(
                415,
                refusals.UNSUPPORTED_TYPE,
                "Compressed bodies (Content-Encoding) are not accepted; send plain ones.",
            )
        length = request.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise Refused(400, refusals.BAD_REQUEST, "Content-Length is not a number.")
        if int(length) > self.limit:
            raise too_large(f"{int(length):,}", self.limit)

    async def _message(self, request: Request, seconds: float) -> dict:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                return await request.receive()
        except TimeoutError:
            raise Refused(
                408,
                refusals.TIMEOUT,
                f"The body did not arrive in time ({self.seconds:g} s without progress, or less "
                f"than {LEAST_RATE:,} bytes a second).",
                {"Connection": "close"},
            ) from None

    def _take(self, reservation: Reservation, count: int) -> None:
        if count > self._free:
            raise busy(1, "Too many uploads at once. Try again later.")
        self._free -= count
        reservation.held += count
