"""The application: which path is answered by what, and what every answer has in common."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from trackbed.serving import access, page_routes, prediction_routes, protocol_routes, refusals
from trackbed.serving.refusals import Refused
from trackbed.serving.service import Service

logger = logging.getLogger("trackbed.serve")
# A client that takes no byte of its answer for so long is cut off.
SEND_SECONDS = 30.0
CLIENT_CLOSED_REQUEST = 499  # as nginx counts them; nobody reads the answer
NO_ROUTE = "none"
# Without the token: what probes ask, and pages that hold nothing of the model.
OPEN_ROUTES = {"live", "ready", "openapi", "docs", "page", "static", NO_ROUTE}


class Application:
    """The ASGI application: checks the token, adds headers, counts, and answers errors as JSON."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.routes: Sequence[Route] = [
            *prediction_routes.routes(service),
            *protocol_routes.routes(service),
            *page_routes.routes(service),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the interface of ASGI."""
        start, status = time.perf_counter(), CLIENT_CLOSED_REQUEST

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *access.HEADERS]
                async with asyncio.timeout(SEND_SECONDS):  # waits where answers lie unread
                    await send(message)
            else:
                await send(message)

        scope["path"] = _path(scope["path"])
        route = self._route(scope["path"])
        name = NO_ROUTE if route is None else route.name
        scope["app"] = self  # has the route raise HTTPException
        try:
            self._check_token(scope, name)
            if route is None:
                raise HTTPException(404)
            scope.update(route.matches(scope)[1])
            await route.handle(scope, receive, guarded_send)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:  # the server ends, and waits no longer for this request
            if status == CLIENT_CLOSED_REQUEST:
                await refusals.stopping().response()(scope, receive, guarded_send)
        except Exception as error:
            if status == CLIENT_CLOSED_REQUEST:
                await _refusal(error, scope["method"]).response()(scope, receive, guarded_send)
            else:
                logger.warning("an answer was not taken: %r", error)
        finally:
            monitoring = self.service.monitoring
            monitoring.requests.labels(name, str(status)).inc()
            monitoring.seconds.labels(name).observe(time.perf_counter() - start)

    def _route(self, path: str) -> Route | None:
        """The route of a path, whatever the method."""
        return next((route for route in self.routes if route.path_regex.match(path)), None)

    def _check_token(self, scope: Scope, route: str) -> None:
        if self.service.token is not None and route not in OPEN_ROUTES:
            access.check(self.service.token, Request(scope).headers.get("authorization"))


def _path(target: str) -> str:
    """The path of a request's target, which may be a whole URL (RFC 9112, 3.2.2)."""
    if target.lower().startswith(("http://", "https://")):
        return "/" + target.partition("://")[2].partition("/")[2]
    return target


def _refusal(error: Exception, method: str) -> Refused:
    """The answer for what a route raised."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        headers = {**(error.headers or {})}
        if error.status_code == 405:
            message = f"{method} is not possible here; see the header Allow."
            return Refused(405, refusals.METHOD_NOT_ALLOWED, message, headers)
        return Refused(404, refusals.NOT_FOUND, "There is nothing at this path; see /docs.")
    logger.error("a request failed", exc_info=error)
    return Refused(500, refusals.INTERNAL, "The server failed; its log says why.")
