"""Requests that are not served: status, code and sentence, as JSON of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

# The field `code` of an answer that is an error; docs/serve.md lists them.
BAD_REQUEST = "bad_request"
EMPTY_BODY = "empty_body"
INVALID_MULTIPART = "invalid_multipart"
INVALID_TENSOR = "invalid_tensor"
UNAUTHORIZED = "unauthorized"
NOT_FOUND = "not_found"
UNKNOWN_MODEL = "unknown_model"
METHOD_NOT_ALLOWED = "method_not_allowed"
TIMEOUT = "timeout"
TOO_LARGE = "too_large"
TOO_MANY_FILES = "too_many_files"
UNSUPPORTED_TYPE = "unsupported_media_type"
REJECTED = "rejected"
INTERNAL = "internal"
BUSY = "busy"
STOPPING = "stopping"
RELOAD_FAILED = "reload_failed"
CODES_OF_STATUS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}


class Refused(Exception):
    """A request that is answered with an error.

    status: of HTTP. code: one of the above, for programs. The message is for people; details are
    more fields of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers, self.details = dict(headers or {}), details

    def response(self) -> JSONResponse:
        """The answer, whose body is {"error": message, "code": code, ...}."""
        content = {"error": self.message, "code": self.code, **self.details}
        return JSONResponse(content, self.status, self.headers)


def busy(seconds: int, message: str) -> Refused:
    """A refusal for now: the client may try again after some seconds."""
    return Refused(503, BUSY, message, {"Retry-After": str(seconds)})


def stopping() -> Refused:
    """A refusal while the server ends: another one may answer."""
    return Refused(503, STOPPING, "The server stops.", {"Retry-After": "1"})


def too_large(found: str, limit: int) -> Refused:
    """A refusal of a body of more bytes than the limit; found: how many, as text."""
    return Refused(
        413,
        TOO_LARGE,
        f"The request has {found} bytes, at most {limit:,} are allowed (--max-bytes).",
        limit=limit,
    )
