"""Why a picture cannot be used, and the limits that a picture must keep."""

import math
from dataclasses import dataclass
from typing import Literal

# Why a file is rejected; the column `reason` of rejects.csv.
EMPTY = "empty"
TRUNCATED = "truncated"  # it ends too early
DAMAGED = "damaged"  # it cannot be decoded
WRONG_LENGTH = "wrong length"  # pixel data that do not fit the header
NOT_AN_IMAGE = "not an image"
UNSUPPORTED = "unsupported format"
TOO_LARGE = "too many pixels"
TOO_LONG = "too many bytes"  # more than its pixels explain
TOO_SMALL = "too small"  # a side has too few pixels
TOO_NARROW = "too narrow"  # one side is many times the other
NOT_REGULAR = "not a regular file"  # a symbolic link, a pipe, a socket, a device
UNREADABLE = "unreadable"  # the file system refuses
BOX_OUTSIDE = "box outside"  # the picture is smaller than its crop box says
BOX_OF_OTHER_SIZE = "box of another size"  # the box counts in a picture of another shape
NO_CLASS = "no class"  # it lies beside the class folders
NO_LABEL = "no label"  # it lies in a folder of pictures that nobody labelled
BAD_NAME = "bad name"  # not UTF-8, or with characters that a terminal or an editor interprets


class Rejected(Exception):
    """A file cannot be used: `reason` is one of the above, `detail` holds the numbers."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


Boxes = Literal["check", "stretch", "ignore"]
"""Use of boxes that count in another size: reject those of another shape, scale, or use none."""


@dataclass(frozen=True)
class Limits:
    """The keys max_pixels, min_side, max_aspect, white_level and boxes of params.yaml, data."""

    pixels: int  # width x height, at most
    min_side: int = 1  # pixels
    aspect: float = math.inf  # longer side / shorter side, at most
    white_level: int | None = None  # value of white in 16-bit files that name none
    boxes: Boxes = "check"

    def refuse_large(self, width: int, height: int) -> None:
        """Raise Rejected for too many pixels."""
        if width * height > self.pixels:
            raise self.too_many(f"{width:,} x {height:,}")

    def too_many(self, found: str) -> Rejected:
        """What to raise for too many pixels; `found`: how many, as text."""
        return Rejected(TOO_LARGE, f"{found}, data.max_pixels is {self.pixels:,}")

    def refuse_shape(self, width: int, height: int) -> None:
        """Raise Rejected for a side that is too short, alone or beside the other one."""
        shorter, longer = sorted((width, height))
        if shorter < self.min_side:
            raise Rejected(TOO_SMALL, f"{width:,} x {height:,}, data.min_side is {self.min_side:,}")
        if longer > self.aspect * shorter:
            raise Rejected(
                TOO_NARROW,
                f"{width:,} x {height:,} is {longer / shorter:,.1f} to 1, data.max_aspect is "
                f"{self.aspect:g}",
            )
