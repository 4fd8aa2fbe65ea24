"""What a stage says, kept in a file beside what the terminal shows."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any

FOLDER = Path("logs")
ESCAPE = "\x1b"  # begins what draws on a terminal, such as bars of progress


@contextmanager
def kept(stage: str) -> Iterator[None]:
    """Copy what Python writes to stdout and stderr to logs/STAGE.log, anew in every run."""
    FOLDER.mkdir(exist_ok=True)
    with (
        (FOLDER / f"{stage}.log").open("w", encoding="utf-8", buffering=1) as file,
        redirect_stdout(Both(sys.stdout, file)),
        redirect_stderr(Both(sys.stderr, file)),
    ):
        try:
            yield
        except Exception:
            traceback.print_exc(file=file)
            raise


class Both:
    """A stream that also writes to a file; in all else it is the stream."""

    def __init__(self, stream: IO[str], file: IO[str]) -> None:
        self._stream, self._file = stream, file

    def write(self, text: str) -> int:
        """Write to both, but what draws on a terminal to the stream alone."""
        if ESCAPE not in text:
            self._file.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
