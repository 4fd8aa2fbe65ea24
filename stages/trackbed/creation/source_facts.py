"""What a source of pictures is like, as far as its names and a sample of its pictures say."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from trackbed.dataset import source_pictures, sources
from trackbed.dataset.groups import Grouping
from trackbed.dataset.schema import TEST, VALIDATION, Entry, Listing
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.pipeline.errors import BadData

SAMPLED = 120  # pictures
# Those of params.yaml.
LIMITS = Limits(50_000_000, 8, 20.0)
# A scan of a grey print is not grey to the last level.
GREY_TOLERANCE = 8  # levels of 255 between the channels


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a source before the build."""

    listing: Listing
    sides: list[int]  # shorter sides of the pictures of the sample, in pixels, sorted
    grey: int  # how many of these show no colour
    rejected: list[tuple[str, str]]  # file names of the sample that cannot be used, and why

    @property
    def images(self) -> int:
        """Pictures of all parts."""
        return len(self.listing.entries)

    @cached_property
    def class_images(self) -> Counter[str]:
        """Pictures that every class has for training, validation and a test part to be made."""
        return Counter(one.class_name for one in self.listing.entries if one.part != TEST)

    @property
    def median_side(self) -> int:
        """The shorter side that half of the sample have, or more, in pixels."""
        return self.sides[(len(self.sides) - 1) // 2]

    @property
    def parts(self) -> set[str]:
        """The official parts."""
        return {one.part for one in self.listing.entries} - {""}

    @property
    def training_images(self) -> int:
        """About how many pictures an epoch has with the default shares of test and validation."""
        count = sum(1 for one in self.listing.entries if one.part not in (TEST, VALIDATION))
        shares = (part in self.parts for part in (TEST, VALIDATION))
        return round(count * 0.8 ** sum(not there for there in shares))


def read(folder: Path) -> SourceFacts:
    """List a source and look at a sample of its pictures.

    Raises UserError where the layout is unclear, a class has no pictures, there are less than two
    classes, or where no picture of the sample can be used.
    """
    listing = sources.scan(folder, None, Grouping(None, False))
    sides, grey, rejected = [], 0, []
    for entry in sample(listing.entries):
        try:
            image = source_pictures.checked(entry, LIMITS).image
        except Rejected as problem:
            rejected.append((entry.filename, str(problem)))
            continue
        sides.append(min(image.size))
        grey += is_grey(image)
    if not sides:
        name, reason = rejected[0]
        raise BadData(
            f"{folder}: none of the {len(rejected)} pictures that were looked at can be used, such "
            f"as {name} ({reason})."
        )
    return SourceFacts(listing, sorted(sides), grey, rejected)


def sample(entries: list[Entry], most: int = SAMPLED) -> list[Entry]:
    """At most so many of the entries, evenly spread over them."""
    positions = np.unique(np.linspace(0, len(entries) - 1, most).round().astype(int))
    return [entries[position] for position in positions]


def is_grey(image: Image.Image) -> bool:
    """Whether a picture in mode RGB shows no colour."""
    image.thumbnail((64, 64))
    pixels = np.asarray(image).astype(int)
    return int(np.ptp(pixels, axis=2).max()) <= GREY_TOLERANCE
