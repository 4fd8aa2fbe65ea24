"""What a source holds: pictures to check and checked, names of parts."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trackbed.pictures.crop_boxes import Box, BoxFit

IGNORE = "ignore"  # in place of a part
TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
USUAL_NAMES = {
    TRAIN: "train|training|trn|trainval",
    VALIDATION: "val|valid|validation|dev|devel|eval|evaluation",
    TEST: "test|testing|tst",
}
# What stands beside them in the names of parts, in the same word or in another. These patterns are
# compiled when they are used first: `trackbed predict` starts without them.
FILLER = "set|dataset|data|images?|imgs?|pictures|photos|files|folder|dir|split|subset|part"
PART_WORDS = {part: rf"({names})({FILLER})?" for part, names in USUAL_NAMES.items()}
# Names without signs, of folders of pictures that nobody labelled: CVAT, FiftyOne, STL-10.
UNLABELLED = (
    f"((un|no|not|non)labell?(ed|s)?|unknownlabels?|withoutlabels?|unannotated|untagged)({FILLER})?"
)
# Words in names of folders of pictures to predict, where there are no class folders in them.
PREDICTION_WORDS = {"pred", "predict", "prediction", "predictions", "inference"}
DOCUMENT_NAMES = {"readme", "license", "licence", "copying", "changelog", "citation", "notice"}
DOCUMENT_SUFFIXES = {
    *(".txt", ".md", ".rst", ".html", ".pdf", ".log", ".cff", ".bib", ".names"),
    *(".json", ".yaml", ".yml", ".csv", ".tsv", ".xml", ".py", ".ipynb", ".sh", ".bat", ".toml"),
    *(".doc", ".docx", ".rtf", ".odt", ".xls", ".xlsx", ".mat", ".pkl", ".npy", ".npz", ".h5"),
}


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
        next((part for part, word in PART_WORDS.items() if re.fullmatch(word, one)), "")
        for one in words(name)
    ]
    found = set(meanings) - {""}
    others = [
        one
        for one, meaning in zip(words(name), meanings, strict=True)
        if not meaning and not re.fullmatch(FILLER, one)
    ]
    return (found.pop(), not others) if len(found) == 1 else ("", False)


def is_filler(name: str) -> bool:
    """Whether a name says nothing of what pictures show, such as `images`, `test` or `unknown`."""
    known = (FILLER, "unknown|all|pool|none", *PART_WORDS.values())
    return all(any(re.fullmatch(word, one) for word in known) for one in words(name))


def is_unlabelled(name: str) -> bool:
    """Whether a folder of this name holds pictures without a label, such as `no_label`."""
    return bool(re.fullmatch(UNLABELLED, "".join(words(name))))


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
    base = name.lower().rpartition("/")[2]
    return os.path.splitext(base)[1] in DOCUMENT_SUFFIXES or base in DOCUMENT_NAMES
