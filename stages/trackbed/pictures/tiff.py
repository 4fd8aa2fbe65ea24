"""TIFF files: which page is the picture, what its samples mean, and which kinds are not read."""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO, OPEN_INFO, ImageFileDirectory_v2

from trackbed.pictures import deep_pixels
from trackbed.pictures.deep_pixels import FULL_WHITE, Packing, Samples
from trackbed.pictures.rejections import TRUNCATED, UNSUPPORTED, Rejected

MOST_PAGES = 10_000

# Tags of TIFF 6.0, of its supplements, and of DNG 1.7.
NEW_SUBFILE_TYPE, SUBFILE_TYPE, WIDTH, HEIGHT, BITS, COMPRESSION = 254, 255, 256, 257, 258, 259
PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, ORIENTATION, SAMPLES_PER_PIXEL = 262, 266, 273, 274, 277
ROWS_PER_STRIP, MAX_SAMPLE, PLANAR, TILE_WIDTH, TILE_HEIGHT = 278, 281, 284, 322, 323
TILE_OFFSETS, SUB_PAGES, EXTRA_SAMPLES, SAMPLE_FORMAT, SIGNED_MAX = 324, 330, 338, 339, 341
PROFILE, WHITE_LEVEL = 34675, 50717

PAGE_OF_MANY = 2  # bit of NewSubfileType; all others mark reduced pictures, masks and depth maps
OLD_REDUCED = 2  # SubfileType
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
ASSOCIATED, UNASSOCIATED = 1, 2  # kinds of alpha
UNCOMPRESSED, SEPARATE_PLANES, LOWEST_BIT_FIRST = 1, 2, 2

PHOTOMETRICS = {
    4: "a transparency mask",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "Bayer samples of a camera sensor (CFA)",
    32844: "LogL",
    32845: "LogLuv",
    34892: "linear raw samples of a camera",
}
COMPRESSIONS = {
    *((34712, "JPEG 2000"), (33003, "JPEG 2000"), (33004, "JPEG 2000"), (33005, "JPEG 2000")),
    *((34887, "LERC"), (50002, "JPEG XL"), (52546, "JPEG XL"), (34892, "lossy JPEG of DNG")),
    *((34713, "Nikon NEF"), (32767, "Sony ARW"), (22610, "JPEG XR"), (34934, "JPEG XR")),
}


@dataclass(frozen=True)
class Page:
    """A directory of a TIFF file."""

    offset: int  # bytes, of the directory in the file
    tags: ImageFileDirectory_v2
    sub: bool  # whether it is a SubIFD

    def numbers(self, tag: int, default: int) -> tuple[Any, ...]:
        """The values of a tag."""
        values = self.tags.get(tag, default)
        return tuple(values) if isinstance(values, tuple | list) else (values,)

    def number(self, tag: int, default: int = 0) -> Any:
        """The first value of a tag."""
        return (self.numbers(tag, default) or (default,))[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored, not turned; (0, 0) where a directory is no picture."""
        return int(self.number(WIDTH)), int(self.number(HEIGHT))

    @property
    def channels(self) -> int:
        """Samples per pixel."""
        return int(self.number(SAMPLES_PER_PIXEL, 1))

    @property
    def bits(self) -> tuple[int, ...]:
        """Bits of every sample of a pixel."""
        bits = self.numbers(BITS, 1)
        return bits * self.channels if len(bits) == 1 else bits

    def is_full(self) -> bool:
        """Whether it is neither a reduced picture nor a mask."""
        reduced = int(self.number(NEW_SUBFILE_TYPE)) & ~PAGE_OF_MANY
        return not reduced and self.number(SUBFILE_TYPE) != OLD_REDUCED


def pages(file: BinaryIO) -> list[Page]:
    """All pages in their order, SubIFDs behind the page that they belong to.

    A directory that cannot be read ends the list behind a page of full resolution. Raises errors
    of many types for another.
    """
    header = file.read(16)
    header = header if 43 in header[2:4] else header[:8]
    found: list[Page] = []
    seen: set[int] = {0}
    waiting = [(ImageFileDirectory_v2(header).next, False)]
    while waiting and len(found) < MOST_PAGES:
        offset, sub = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        try:
            page = Page(offset, _directory(file, offset, header), sub)
            inner = [(int(at), True) for at in page.numbers(SUB_PAGES, 0)]
        except Exception:
            if any(page.is_full() for page in found):
                break
            raise
        if all(page.size):
            found.append(page)
        waiting = [*inner, (page.tags.next, sub), *waiting]
    return found


def _directory(file: BinaryIO, offset: int, header: bytes) -> ImageFileDirectory_v2:
    """The tags at a place of a file; Pillow would pass over those that are cut off."""
    count_bytes, tag_bytes = (8, 20) if 43 in header[2:4] else (2, 12)
    file.seek(offset)
    count = int.from_bytes(file.read(count_bytes), "little" if header[:1] == b"I" else "big")
    if offset + count_bytes + count * tag_bytes > file.seek(0, io.SEEK_END):
        raise Rejected(TRUNCATED, f"a directory of {count:,} tags ends behind the file")
    file.seek(offset)
    tags = ImageFileDirectory_v2(header)
    tags.load(file)
    return tags


def full_resolution(found: list[Page]) -> tuple[Page, int]:
    """The first page that is not marked as a reduced picture or a mask, and how many there are.

    Where all are marked, the largest. SubIFDs do not count. Raises Rejected without any page.
    """
    if not found:
        raise Rejected(TRUNCATED, "no page with a width and a height")
    full = [page for page in found if page.is_full()]
    largest = max(found, key=lambda page: page.size[0] * page.size[1])
    return (full or [largest])[0], max(1, sum(1 for page in full if not page.sub))


def with_first_page(data: bytes, page: Page) -> bytes:
    """The file with the header changed so that this page is the first."""
    order = "<" if data[:1] == b"I" else ">"
    at, form = (8, "Q") if 43 in data[2:4] else (4, "L")
    offset = struct.pack(order + form, page.offset)
    if data[at : at + len(offset)] == offset:
        return data
    return data[:at] + offset + data[at + len(offset) :]


def refuse_unsupported(page: Page) -> None:
    """Raise Rejected for a page of a kind that is not read, with its name."""
    if fault := _unsupported(page):
        raise Rejected(UNSUPPORTED, f"TIFF with {fault}")


def _unsupported(page: Page) -> str | None:
    photometric, compression = page.number(PHOTOMETRIC), page.number(COMPRESSION, UNCOMPRESSED)
    bits, formats = page.bits, set(page.numbers(SAMPLE_FORMAT, UNSIGNED))
    if photometric in PHOTOMETRICS:
        return PHOTOMETRICS[photometric]
    if compression not in COMPRESSION_INFO:
        name = dict(COMPRESSIONS).get(compression)
        return f"compression {compression}" + (f" ({name})" if name else "")
    if formats == {FLOATING}:
        return f"{bits[0]}-bit floating-point samples"
    if not formats <= {UNSIGNED, SIGNED, 4} or (formats == {SIGNED} and bits[0] not in (16, 32)):
        return f"{bits[0]}-bit signed or complex samples"
    readable = is_uncompressed_and_deep(page) or _pillow_reads(page, photometric)
    usual = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3}.get(photometric, page.channels)
    if page.channels > usual + 1 and (photometric != RGB or not readable):
        return f"{page.channels} bands"
    depth = "/".join(map(str, sorted(set(bits))))
    packing = "" if compression == UNCOMPRESSED else f" and compression {compression}"
    return None if readable else f"{page.channels} samples of {depth} bits a pixel{packing}"


def _pillow_reads(page: Page, photometric: int) -> bool:
    """Whether Pillow has a mode for the samples, extra ones of separate planes left aside."""
    if COMPRESSION_INFO[page.number(COMPRESSION, UNCOMPRESSED)] in ("jpeg", "tiff_jpeg"):
        return set(page.bits) == {8}
    formats = page.numbers(SAMPLE_FORMAT, UNSIGNED)
    extra = page.numbers(EXTRA_SAMPLES, 0) if EXTRA_SAMPLES in page.tags else ()
    bits = page.bits
    if page.number(PLANAR, 1) == SEPARATE_PLANES and extra and not max(extra):
        bits, extra = bits[: -len(extra)], ()
    key = (photometric, formats[:1], page.number(FILL_ORDER, 1), bits, extra)
    return (page.tags.prefix, *key) in OPEN_INFO


def is_uncompressed_and_deep(page: Page) -> bool:
    """Whether `samples` reads the page: 9 to 16 bits, grey or RGB, perhaps with alpha."""
    kinds = {BLACK_IS_ZERO: (1, 2), WHITE_IS_ZERO: (1, 2), RGB: (3, 4)}
    return (
        page.number(COMPRESSION, UNCOMPRESSED) == UNCOMPRESSED
        and page.channels in kinds.get(page.number(PHOTOMETRIC), ())
        and len(set(page.bits)) == 1
        and 8 < page.bits[0] <= 16
    )


def samples(data: bytes, page: Page) -> Samples:
    """The samples of an uncompressed page, see `is_uncompressed_and_deep`.

    Samples of other than 16 bits are packed without gaps, the highest bit first; every row begins
    with a new byte. Raises Rejected where data are missing.
    """
    (width, height), channels = page.size, page.channels
    planes = channels if page.number(PLANAR, 1) == SEPARATE_PLANES else 1
    values = np.zeros((height, width, channels), np.uint16)
    for plane, top, left, block in _blocks(data, page, channels // planes):
        within = block[: height - top, : width - left]
        rows, columns = slice(top, top + len(within)), slice(left, left + within.shape[1])
        values[rows, columns, plane : plane + within.shape[2]] = within
    return meaning(values, page)


def _blocks(data: bytes, page: Page, channels: int) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """First channel, top, left and samples (rows, columns, channels) of every strip or tile."""
    (width, height), tiled = page.size, TILE_OFFSETS in page.tags
    columns = int(page.number(TILE_WIDTH, width)) if tiled else width
    rows = int(page.number(TILE_HEIGHT if tiled else ROWS_PER_STRIP, height))
    rows = rows if tiled else min(rows, height)
    places = TILE_OFFSETS if tiled else STRIP_OFFSETS
    offsets = page.numbers(places, 0) if places in page.tags else ()
    across, down = -(-width // columns), -(-height // rows)
    lowest_first = page.number(FILL_ORDER, 1) == LOWEST_BIT_FIRST
    packing = Packing(page.bits[0], page.tags.prefix == b"II", lowest_first)
    if len(offsets) < across * down * (page.channels // channels):
        raise Rejected(TRUNCATED, f"{len(offsets)} strips or tiles")
    for number, offset in enumerate(offsets[: across * down * (page.channels // channels)]):
        plane, place = divmod(number, across * down)
        top, left = place // across * rows, place % across * columns
        here = rows if tiled else min(rows, height - top)
        content = memoryview(data)[int(offset) :]
        block = deep_pixels.unpacked(content, here, columns * channels, packing)
        yield plane * channels, top, left, block.reshape(here, columns, channels)


def meaning(values: np.ndarray, page: Page) -> Samples:
    """Samples (rows, columns, channels), uint16, with what the page says of them."""
    colours = 3 if page.number(PHOTOMETRIC) == RGB else 1
    alpha = page.number(EXTRA_SAMPLES) if values.shape[2] > colours else 0
    if alpha not in (ASSOCIATED, UNASSOCIATED) and EXTRA_SAMPLES in page.tags:
        values = values[..., :colours]
    if page.number(SAMPLE_FORMAT, UNSIGNED) == SIGNED:
        if (values[..., :colours] >= 2**15).any():
            raise Rejected(UNSUPPORTED, "TIFF with signed samples below 0")
        white = 2**15 - 1
    else:
        white = _white(values[..., :colours], page)
    return Samples(
        values,
        white,
        opaque=2 ** page.bits[0] - 1,
        white_is_zero=page.number(PHOTOMETRIC) == WHITE_IS_ZERO,
        premultiplied=alpha == ASSOCIATED,
    )


def _white(colours: np.ndarray, page: Page) -> int:
    """The value of white: as a tag says, or else the largest of the bits.

    TIFF 6.0 has MaxSampleValue for statistics: it is the value of white only where it is that of a
    number of bits, such as 4095, and no sample is above it.
    """
    largest = 2 ** page.bits[0] - 1
    for tag in (WHITE_LEVEL, MAX_SAMPLE, SIGNED_MAX):
        values = {int(value) for value in page.numbers(tag, largest)}
        (white, *others) = sorted(values)
        of_bits = white & (white + 1) == 0 and white >= 255 and colours.max(initial=0) <= white
        if not others and 0 < white < largest and (tag == WHITE_LEVEL or of_bits):
            return white
    return largest if largest < FULL_WHITE else FULL_WHITE


def pillow_samples(opened: Callable[[], Image.Image], page: Page) -> Samples | None:
    """The samples of a page of more than 8 bits that Pillow opens, or None for another.

    Raises Rejected for those of more than 16 bits.
    """
    with opened() as image:
        mode, raw = image.mode, deep_pixels.rawmode(image)
    if mode.startswith("I"):
        values = deep_pixels.loaded(opened)
        if page.bits[0] == 32:
            values = values.view(np.uint32)
        if page.bits[0] > 16 and values.max() > FULL_WHITE:
            raise Rejected(UNSUPPORTED, f"{page.bits[0]}-bit samples up to {values.max():,}")
        return meaning(values.astype(np.uint16)[..., None], page)
    if not deep_pixels.DEEP_COLOUR.fullmatch(raw):
        return None
    if page.number(PLANAR, 1) == SEPARATE_PLANES:
        raise Rejected(UNSUPPORTED, "TIFF with 16-bit samples in separate compressed planes")
    return meaning(deep_pixels.colour_values(opened, raw), page)
