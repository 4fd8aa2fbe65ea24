"""Files that are longer than any picture of their size, found out before they are read whole."""

import io
from pathlib import Path

from trackbed.ingest import decoding
from trackbed.ingest.entries import TOO_LONG, Rejected
from trackbed.ingest.limits import Limits

# What a file may hold beside its pixels, in bytes: metadata, thumbnails, a video of some seconds.
METADATA = 2**26
# Four channels of 16 bits; of a plain PPM, whose numbers are text, three with line feeds.
PER_PIXEL = 8
PER_PIXEL_OF_NETPBM = 18
HEAD = 2**12


class Sparing(io.FileIO):
    """A file of which no more than METADATA bytes can be read; one more is refused."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = METADATA

    def read(self, size: int = -1) -> bytes:
        """As of any file. Raises Rejected where it would be too much."""
        data = super().read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise Rejected(TOO_LONG, f"more than {METADATA:,} bytes before any pixel")
        return data


def refuse(path: Path, length: int, limits: Limits) -> None:
    """Raise Rejected for a file of this length that the size in its header does not explain."""
    if length <= METADATA:
        return
    with Sparing(path) as file:
        head = file.read(HEAD)
        file.seek(0)
        width, height, format = decoding.announced(file, head, limits)
    limits.refuse_large(width, height)
    per_pixel = PER_PIXEL_OF_NETPBM if format == "PPM" else PER_PIXEL
    if length > METADATA + per_pixel * width * height:
        raise Rejected(TOO_LONG, f"{length:,} bytes for {width:,} x {height:,} pixels")
