"""The web page, its files, the description of the interface, and the measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from trackbed.serving import access, interface_page, monitoring, openapi
from trackbed.serving.service import Service

FOLDER = Path(__file__).parent / "static"
# The files of the page, by path; no other path leads to the disk.
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/static/page.css": ("page.css", "text/css; charset=utf-8"),
    "/static/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}


def routes(service: Service) -> list[Route]:
    """The routes of pages and measures."""
    described = openapi.document(service)
    page = interface_page.page(described)
    return [
        *[
            Route(path, static(file, kind), name="page" if path == "/" else "static")
            for path, (file, kind) in FILES.items()
        ],
        Route("/openapi.json", fixed(JSONResponse(described)), name="openapi"),
        Route("/docs", fixed(HTMLResponse(page)), name="docs"),
        Route("/metrics", measures(service), name="metrics"),
    ]


def static(file: str, kind: str) -> Callable:
    """A file of this package, read once."""
    return fixed(Response((FOLDER / file).read_bytes(), media_type=kind))


def fixed(response: Response) -> Callable:
    """An answer that is always the same."""
    body, kind = response.body, response.headers["content-type"]

    async def answer(request: Request) -> Response:
        return Response(body, headers=access.PAGE_HEADERS, media_type=kind)

    return answer


def measures(service: Service) -> Callable:
    """The measures in the text format of Prometheus."""

    async def answer(request: Request) -> Response:
        return Response(service.monitoring.text(), media_type=monitoring.MEDIA_TYPE)

    return answer
