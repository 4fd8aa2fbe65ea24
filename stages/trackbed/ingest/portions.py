"""Portions of a listing: what is checked at a time. Every process that checks imports this."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trackbed.ingest import images
from trackbed.ingest.entries import Entry, Picture, Rejected
from trackbed.ingest.limits import Limits

# Some 10 ms of work: enough to make up for the way to another process and back.
PICTURES = 32
FILE_BYTES = 2**19
# Small files may hold large pictures.
RESULT_BYTES = 2**23


def portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, so many at a time that checking them is a moderate work."""
    portion: list[Entry] = []
    file_bytes = 0
    for entry in entries:
        portion.append(entry)
        file_bytes += _file_bytes(entry)
        if len(portion) == PICTURES or file_bytes >= FILE_BYTES:
            yield portion
            portion, file_bytes = [], 0
    if portion:
        yield portion


@dataclass(frozen=True)
class Checking:
    """How to check a portion; to be called in any process."""

    limits: Limits
    crop_margin: float

    def __call__(self, portion: list[Entry]) -> list[Picture | Rejected]:
        """What became of the entries, or of the first of them if that is much to keep."""
        outcomes: list[Picture | Rejected] = []
        result_bytes = 0
        for entry in portion:
            try:
                picture = images.load(entry, self.limits, self.crop_margin)
            except Rejected as no:
                outcomes.append(no)
                continue
            outcomes.append(picture)
            result_bytes += len(picture.data)
            if result_bytes >= RESULT_BYTES:
                break
        return outcomes


def _file_bytes(entry: Entry) -> int:
    if entry.raw is not None:
        return entry.raw.length
    try:
        return entry.path.lstat().st_size
    except OSError:
        return 0  # to be rejected when it is read
