"""Pictures of a form (multipart/form-data, RFC 7578), kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from trackbed.serving import refusals
from trackbed.serving.refusals import Refused

LONGEST_NAME = 255  # characters of a file name that is given back
# Parts that are no files, such as other fields of the form.
MOST_FIELDS = 100


@dataclass
class Upload:
    """One picture of a request: its bytes, and the name that the client gave it, if any."""

    data: bytes
    name: str | None = None


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    name: str | None = None
    is_file: bool = False


class FormReader:
    """Takes a form as it arrives; `uploads` are its files, in their order.

    content_type: the header. Raises Refused: 400 for a broken form, 413 for too many files.
    """

    def __init__(self, content_type: str, most_files: int) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise _broken("Content-Type names no boundary")
        self.most_files = most_files
        self.uploads: list[Upload] = []
        self._fields, self._ended = 0, False
        self._part = _Part()
        self._name, self._value = b"", b""
        callbacks: dict[str, Callable] = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_name,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise _broken(str(error)) from None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes of the form."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _broken(str(error)) from None

    def close(self) -> list[Upload]:
        """The files of the form, which must be complete and hold one at least."""
        if not self._ended:
            raise _broken("it ends before its last boundary")
        if not self.uploads:
            raise Refused(400, refusals.EMPTY_BODY, "The form holds no file.")
        return self.uploads

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._part.headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        if kind != b"form-data":
            raise _broken("a part has no Content-Disposition: form-data")
        content = self._part.headers.get(b"content-type", b"").lower()
        self._part.is_file = b"filename" in options or content.startswith(
            (b"image/", b"application/octet-stream")
        )
        if b"filename" in options:
            self._part.name = options[b"filename"].decode("utf-8", "replace")[:LONGEST_NAME]
        self._count()

    def _count(self) -> None:
        """Refuse a form as soon as it has too many parts."""
        if not self._part.is_file:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise _broken(f"more than {MOST_FIELDS} fields that are no files")
        elif len(self.uploads) == self.most_files:
            raise Refused(
                413,
                refusals.TOO_MANY_FILES,
                f"The form has more than {self.most_files:,} files (--max-files).",
                limit=self.most_files,
            )

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self._part.chunks.append(data[start:end])

    def _end_part(self) -> None:
        if self._part.is_file:
            self.uploads.append(Upload(b"".join(self._part.chunks), self._part.name))
        self._part = _Part()

    def _end(self) -> None:
        self._ended = True


def _broken(reason: str) -> Refused:
    message = f"The form (multipart/form-data) is broken: {reason}."
    return Refused(400, refusals.INVALID_MULTIPART, message)
