"""What a picture may measure: told from its header, before anything decodes it."""

import math
from dataclasses import dataclass

from trackbed.ingest.entries import TOO_LARGE, TOO_NARROW, TOO_SMALL, Rejected


@dataclass(frozen=True)
class Limits:
    """The keys max_pixels, min_side and max_aspect of params.yaml, data; in pixels."""

    pixels: int  # width x height, at most
    min_side: int = 1
    aspect: float = math.inf  # longer side / shorter side, at most

    def refuse_large(self, width: int, height: int) -> None:
        """Raise Rejected for too many pixels."""
        if width * height > self.pixels:
            raise self.too_many(f"{width:,} x {height:,}")

    def too_many(self, found: str) -> Rejected:
        """What to raise for too many pixels; `found` says how many in words."""
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
