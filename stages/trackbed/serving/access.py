"""Who may ask: the token of `trackbed serve`, and the headers that a browser goes by."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from trackbed.pipeline.errors import UserError
from trackbed.serving import refusals
from trackbed.serving.refusals import Refused

TOKEN_VARIABLE = "TRACKBED_TOKEN"
LEAST_CHARACTERS = 8

# https://www.w3.org/TR/CSP3/: everything comes from this server, or from pictures in the page.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# Of every answer: no browser takes it for something else, shows it elsewhere, or keeps it.
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def read_token(path: Path | None) -> str | None:
    """The token of a file, else of the environment variable TRACKBED_TOKEN; None for neither.

    Raises UserError for one that is too short or cannot stand in a header.
    """
    source, token = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE)
    if path is not None:
        source = f"--token-file {path}"
        try:
            token = path.read_text("utf-8").strip()
        except OSError as error:
            raise UserError(f"{source}: cannot be read ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise UserError(f"{source}: is no text.") from None
    if token is None:
        return None
    if len(token) < LEAST_CHARACTERS:
        raise UserError(f"{source}: a token has {LEAST_CHARACTERS} characters at least.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UserError(f"{source}: a token consists of visible ASCII characters.")
    return token


def check(token: str, authorization: str | None) -> None:
    """Raise Refused (401) unless the header is `Bearer` and the token; in constant time."""
    scheme, _, given = (authorization or "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not same:
        raise Refused(
            401,
            refusals.UNAUTHORIZED,
            "This needs the header `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": 'Bearer realm="trackbed"'},
        )
