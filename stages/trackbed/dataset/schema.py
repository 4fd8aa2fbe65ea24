"""What a source holds: pictures to check and checked, names of parts, limits, reasons to reject."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from trackbed.pipeline.index import TEST, TRAIN, VALIDATION

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first column and row outside."""

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

IGNORE = "ignore"  # in place of a part
PARTS = (TRAIN, VALIDATION, TEST)
USUAL_NAMES = {
    TRAIN: "train|training|trn|trainval",
    VALIDATION: "val|valid|validation|dev|devel|eval|evaluation",
    TEST: "test|testing|tst",
}
# What stands beside them in the names of parts, in the same word or in another.
FILLER = re.compile(
    "set|dataset|data|images?|imgs?|pictures|photos|files|folder|dir|split|subset|part"
)
PART_WORDS = {
    part: re.compile(rf"({names})({FILLER.pattern})?") for part, names in USUAL_NAMES.items()
}
# Names without signs, of folders of pictures that nobody labelled: CVAT, FiftyOne, STL-10.
UNLABELLED = re.compile(
    rf"((un|no|not|non)labell?(ed|s)?|unknownlabels?|withoutlabels?|unannotated|untagged)({FILLER.pattern})?"
)
# Words in names of folders of pictures to predict, where there are no class folders in them.
PREDICTION_WORDS = {"pred", "predict", "prediction", "predictions", "inference"}
DOCUMENT_NAMES = {"readme", "license", "licence", "copying", "changelog", "citation", "notice"}
DOCUMENT_SUFFIXES = {
    *(".txt", ".md", ".rst", ".html", ".pdf", ".log", ".cff", ".bib", ".names"),
    *(".json", ".yaml", ".yml", ".csv", ".tsv", ".xml", ".py", ".ipynb", ".sh", ".bat", ".toml"),
    *(".doc", ".docx", ".rtf", ".odt", ".xls", ".xlsx", ".mat", ".pkl", ".npy", ".npz", ".h5"),
}

# Control characters (C0, delete, C1), line separators, and Unicode's marks of direction.
UNSAFE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Rejected(Exception):
    """A file cannot be used: `reason` is one of the above, `detail` holds the numbers."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class RawPixels:
    """The TFRecord in a file whose image_raw holds pixels: uint8, height x width x depth."""

    offset: int  # bytes, of the record in the file
    record_length: int  # bytes, with its framing
    length: int  # bytes, of the pixels
    height: int  # pixels
    width: int
    depth: int  # 1 is grey, 3 is RGB


@dataclass(frozen=True)
class Entry:
    """One picture of a source, not yet looked at."""

    filename: str  # relative to the source, with forward slashes
    class_name: str
    part: str  # 'train', 'validation', 'test' or ''
    group: str
    path: Path  # the file that holds the bytes
    box: Box | None = None
    raw: RawPixels | None = None
    folder: str = ""  # the class folder it lies in, relative to the source
    size: tuple[int, int] | None = None  # width and height of the picture that the box counts in


@dataclass(frozen=True)
class BoxFit:
    """How a box lies in its picture."""

    box: Box  # in pixels of the picture
    reach: float  # the larger share of the picture's sides that its right and bottom are at
    # By what its size may have been scaled, at least and at most, for all that rounding leaves
    # open; None where none is named.
    factors: tuple[float, float] | None = None
    detail: str = ""  # both sizes where they differ


@dataclass(frozen=True)
class Picture:
    """A picture that was decoded once and can be stored."""

    data: bytes  # what image_raw will hold
    encoding: str  # of data: 'jpeg', 'png', or 'raw' (uint8, height x width x 3)
    format: str  # of the source, by content: JPEG, PNG, PPM, BMP, WEBP, GIF, TIFF or RAW
    height: int  # pixels, upright and cropped
    width: int
    sha256: str  # of the source file (of the pixels in a TFRecord), followed by the box if any
    perceptual_hash: str  # 64-bit difference hash, 16 hexadecimal digits
    pixel_hash: str  # 128-bit BLAKE2b of size and pixels, 32 hexadecimal digits
    thumbnail: str  # see images.encoded_thumbnail
    brightness: float  # these three: see images.Quality
    contrast: float
    sharpness: float
    pages: int = 1  # pages or frames of the file, of which the picture is one
    peak: int = 0  # largest value of a 16-bit file that does not say what white is; else 0
    box: BoxFit | None = None


@dataclass(frozen=True)
class Found:
    """What a source of one layout holds; an empty group means that the group is unknown."""

    entries: list[Entry]
    classes: set[str]
    ignored: list[str] = field(default_factory=list)
    strays: list[tuple[str, str]] = field(default_factory=list)
    has_groups: bool = False
    notes: list[str] = field(default_factory=list)  # what was taken for what, for the user


@dataclass(frozen=True)
class Listing:
    """Every file of a source: to be checked, ignored, or without a class."""

    entries: list[Entry]  # sorted by file name, then box
    classes: list[str]  # in the order of their labels
    ignored: list[str]  # sorted file names
    strays: list[tuple[str, str]]  # file names and reasons, sorted
    notes: list[str] = field(default_factory=list)  # of Found


def words(name: str) -> list[str]:
    """The words of a name in lower case; `TrainSet_2` has train and set."""
    return re.findall("[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def part_of(name: str) -> tuple[str, bool]:
    """The part that a name means, '' for none, and whether nothing else stands in the name.

    `training_set` means the training part and nothing else, `seg_test` the test part.
    """
    meanings = [
        next((part for part, word in PART_WORDS.items() if word.fullmatch(one)), "")
        for one in words(name)
    ]
    found = set(meanings) - {""}
    others = [
        one
        for one, meaning in zip(words(name), meanings, strict=True)
        if not meaning and not FILLER.fullmatch(one)
    ]
    return (found.pop(), not others) if len(found) == 1 else ("", False)


def _usual_part(value: Any) -> Any:
    part, alone = part_of(value) if isinstance(value, str) else ("", False)
    return part if alone else value


PartName = Annotated[Literal["train", "validation", "test", "ignore"], BeforeValidator(_usual_part)]
"""A value of data.parts; usual names such as `val` become that of the part."""


def is_filler(name: str) -> bool:
    """Whether a name says nothing of what pictures show, such as `images`, `test` or `unknown`."""
    known = (FILLER, re.compile("unknown|all|pool|none"), *PART_WORDS.values())
    return all(any(word.fullmatch(one) for word in known) for one in words(name))


def is_unlabelled(name: str) -> bool:
    """Whether a folder of this name holds pictures without a label, such as `no_label`."""
    return bool(UNLABELLED.fullmatch("".join(words(name))))


def counterparts(parts: Mapping[str, str]) -> set[str]:
    """The names that differ in the word for the part alone: Final_Training and Final_Test."""
    stems = {name: tuple(w for w in words(name) if not is_filler(w)) for name in parts}
    known = {(stems[name], part) for name, part in parts.items()}
    return {
        name
        for name, part in parts.items()
        if any((stems[name], other) in known for other in PARTS if other != part)
    }


def is_document(name: str) -> bool:
    """Whether a file is no picture but a text or table that comes with a set, by its name."""
    path = PurePosixPath(name.lower())
    return path.suffix in DOCUMENT_SUFFIXES or path.name in DOCUMENT_NAMES


def has_bad_name(name: str) -> bool:
    """Whether a name of the file system is not UTF-8 or holds unsafe characters.

    These are control characters, the two line separators of Unicode, and what turns the
    direction of a text, so that `a<U+202E>gpj.exe` looks like `aexe.jpg`.
    """
    return printable(name) != name


def printable(name: str) -> str:
    """A name of the file system, in which unsafe characters are escaped, as in `\\xff`."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return UNSAFE_CHARACTERS.sub(lambda found: _escaped(ord(found[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


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
