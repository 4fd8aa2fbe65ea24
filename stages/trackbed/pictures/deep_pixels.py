"""Pictures of more than 8 bits a sample: their samples, and 8-bit pixels by the value of white."""

import re
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from trackbed.pictures.rejections import TRUNCATED, UNSUPPORTED, Rejected

FULL_WHITE = 2**16 - 1
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# How Pillow unpacks 16-bit colour to its upper 8 bits, and what unpacks the lower ones.
NATIVE = "L" if sys.byteorder == "little" else "B"
OTHER = {"L": "B", "B": "L", "N": "B" if NATIVE == "L" else "L"}
DEEP_COLOUR = re.compile("(RGBA|RGBX|RGBa|RGB);16([LBN])")


@dataclass(frozen=True)
class Samples:
    """Samples of more than 8 bits, as stored."""

    values: np.ndarray  # uint16, shape (height, width, channels): grey or RGB, perhaps alpha
    white: int  # value of white, FULL_WHITE where the file names none
    opaque: int = FULL_WHITE  # alpha of an opaque pixel
    white_is_zero: bool = False
    premultiplied: bool = False  # colours by their alpha

    @property
    def colours(self) -> np.ndarray:
        """The channels without alpha."""
        return self.values[..., : 1 if self.values.shape[2] < 3 else 3]

    @property
    def peak(self) -> int:
        """The largest value of a colour where the file names no white, else 0."""
        named = self.white != FULL_WHITE or self.white_is_zero
        return 0 if named else int(self.colours.max(initial=0))

    def with_key(self, key: int | tuple[int, ...] | None) -> "Samples":
        """The samples with alpha 0 where the colour is this one."""
        if key is None or self.values.shape[2] in (2, 4):
            return self
        alpha = np.where((self.values == np.asarray(key)).all(axis=2), 0, self.opaque)
        return replace(self, values=np.dstack([self.values, alpha.astype(np.uint16)]))


def as_8_bit(samples: Samples, white_level: int | None) -> Image.Image:
    """The picture in mode L, LA, RGB or RGBA; values above white are white.

    `white_level` is the value of white where the file names none.
    """
    named = samples.white != FULL_WHITE
    white = samples.white if named or white_level is None else white_level
    colours = np.minimum(samples.colours, white)
    parts = [_scaled(white - colours if samples.white_is_zero else colours, white)]
    if samples.values.shape[2] in (2, 4):
        parts.append(_scaled(samples.values[..., -1:], samples.opaque))
    pixels = np.concatenate(parts, axis=2)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    # Where alpha is 0 everywhere it is unused: its colours cannot have been multiplied by it.
    if samples.premultiplied and pixels[..., -1].any():
        return _straight(image)
    return image


USUAL_BITS = (8, 10, 12, 14)


def white_level_sentence(peaks: Collection[int], white_level: int | None) -> str:
    """What the largest values of 16-bit pictures say of the value of white; '' for nothing.

    Cameras put fewer bits into 16, and few programs note it.
    """
    largest = max(peaks, default=0)
    if white_level is not None:
        above = sum(1 for peak in peaks if peak > white_level)
        count = f"{above:,} of {len(peaks):,} 16-bit pictures"
        level = f"data.white_level ({white_level:,}), up to {largest:,}; these are white"
        return f"{count} have values above {level}" if above else ""
    bits = next((bits for bits in USUAL_BITS if largest < 2**bits), None)
    if not peaks or bits is None:
        return ""
    return (
        f"no value is above {largest:,} in any of {len(peaks):,} 16-bit pictures: if the camera "
        f"gives {bits} bits, they are too dark; set data.white_level: {2**bits - 1}"
    )


def _scaled(values: np.ndarray, white: int) -> np.ndarray:
    """0 .. white as 0 .. 255, rounded."""
    scaled = np.empty(values.shape, np.uint8)
    for row, own in zip(scaled, values, strict=True):  # one at a time, for memory
        row[:] = np.minimum((own.astype(np.uint32) * 255 + white // 2) // white, 255)
    return scaled


def _straight(image: Image.Image) -> Image.Image:
    """A picture whose colours were multiplied by their alpha, in mode RGBA."""
    pixels = np.asarray(image.convert("RGBA"))
    return Image.frombytes("RGBa", image.size, pixels.tobytes()).convert("RGBA")


@dataclass(frozen=True)
class Packing:
    """How samples lie in bytes."""

    bits: int  # of a sample, at most 16
    little_endian: bool  # for 16 bits; others are packed without gaps
    lowest_bit_first: bool


def unpacked(data: memoryview, rows: int, row_samples: int, packing: Packing) -> np.ndarray:
    """Samples (rows, row_samples), uint16, at the beginning of data; every row begins with a byte.

    Raises Rejected where data are missing.
    """
    bits = packing.bits
    row_bytes = (row_samples * bits + 7) // 8
    if len(data) < rows * row_bytes:
        raise Rejected(TRUNCATED, f"{len(data):,} of {rows * row_bytes:,} bytes")
    if bits == 16:
        values = np.frombuffer(data, "<u2" if packing.little_endian else ">u2", rows * row_samples)
        return values.reshape(rows, row_samples)
    weights = 2 ** np.arange(bits - 1, -1, -1, dtype=np.uint16)
    found = np.empty((rows, row_samples), np.uint16)
    for row in range(rows):  # one at a time, for flat memory
        content = np.frombuffer(data, np.uint8, row_bytes, row * row_bytes)
        digits = np.unpackbits(content, bitorder="little" if packing.lowest_bit_first else "big")
        found[row] = digits[: row_samples * bits].reshape(row_samples, bits) @ weights
    return found


def rawmode(image: Image.Image) -> str:
    """How Pillow unpacks a picture that is open but not loaded; '' where that is not one way."""
    arguments = image.tile[0][3] if getattr(image, "tile", None) else ""
    mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return mode if isinstance(mode, str) else ""


def png_samples(opened: Callable[[], Image.Image]) -> Samples | None:
    """The samples of a PNG of 16 bits, or None for another. `opened` opens it, not loaded."""
    with opened() as image:
        mode, key = rawmode(image), image.info.get("transparency")
    if mode == "I;16B":
        return Samples(loaded(opened)[..., None], FULL_WHITE).with_key(key)
    if mode == "LA;16B":  # four bytes a pixel, as in RGBA
        values = loaded(opened, "RGBA").view(">u2").astype(np.uint16)
        return Samples(values, FULL_WHITE)
    values = colour_values(opened, mode)
    return None if values is None else Samples(values, FULL_WHITE).with_key(key)


def colour_values(opened: Callable[[], Image.Image], mode: str) -> np.ndarray | None:
    """RGB or RGBA of 16 bits, uint16, (height, width, channels); None for another raw mode."""
    found = DEEP_COLOUR.fullmatch(mode)
    if found is None:
        return None
    bands, order = found.groups()
    bands = bands.replace("a", "A")
    upper = loaded(opened, f"{bands};16{order}").astype(np.uint16)
    return upper << 8 | loaded(opened, f"{bands};16{OTHER[order]}")


def loaded(opened: Callable[[], Image.Image], mode: str | None = None) -> np.ndarray:
    """The values of a picture, unpacked by another raw mode of Pillow."""
    with opened() as image:
        if mode is not None:
            image.tile = [tile._replace(args=_with_mode(tile.args, mode)) for tile in image.tile]
        image.load()
        return np.array(image)


def _with_mode(arguments: str | tuple[object, ...], mode: str) -> str | tuple[object, ...]:
    return (mode, *arguments[1:]) if isinstance(arguments, tuple) else mode


def loaded_with_unused_alpha(opened: Callable[[], Image.Image]) -> Image.Image:
    """A picture that is loaded; one whose premultiplied alpha is 0 everywhere, without alpha.

    Pillow divides colours by their alpha, so that none are left where it is 0.
    """
    with opened() as image:
        straight = {"RGBa": "RGBA", "La": "LA"}.get(rawmode(image))
        image.load()
        if straight is None or image.getchannel(image.getbands()[-1]).getextrema()[1]:
            return image
        colours = Image.fromarray(loaded(opened, straight if straight == "RGBA" else None))
        info, colours = image.info, colours.convert("RGB")
        colours.info = info
        return colours


NETPBM_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
NETPBM_HEADER = re.compile(
    rb"(P[14])%s([0-9]{1,10})%s([0-9]{1,10})\s" % (NETPBM_SPACE, NETPBM_SPACE)
    + rb"|(P[2356])%s([0-9]{1,10})%s([0-9]{1,10})%s([0-9]{1,10})\s" % ((NETPBM_SPACE,) * 3)
)
NETPBM_SAMPLES = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3}


@dataclass(frozen=True)
class Amount:
    """How much pixel data a file holds and how much its header announces."""

    given: int
    expected: int
    unit: str


def netpbm_amount(data: bytes) -> Amount | None:
    """The pixel data of a PBM, PGM or PPM file (P1 to P6), or None for another header.

    https://netpbm.sourceforge.net/doc/ppm.html: a single blank ends the header, binary data
    follow to the end of the file. Line-feed conversion makes them longer than announced.
    """
    header = NETPBM_HEADER.match(data)
    if header is None:
        return None
    kind, width, height, *highest = (group for group in header.groups() if group is not None)
    columns, rows = int(width), int(height)
    if kind == b"P4":
        return Amount(len(data) - header.end(), (columns + 7) // 8 * rows, "bytes")
    if kind in (b"P5", b"P6"):
        depth = 1 if int(highest[0]) < 256 else 2
        expected = columns * rows * NETPBM_SAMPLES[kind] * depth
        return Amount(len(data) - header.end(), expected, "bytes")
    numbers = re.finditer(rb"\S+", re.sub(rb"#[^\r\n]*", b"", data[header.end() :]))
    if kind == b"P1":  # blanks between the digits are optional
        return Amount(sum(len(number[0]) for number in numbers), columns * rows, "digits")
    return Amount(sum(1 for _ in numbers), columns * rows * NETPBM_SAMPLES[kind], "numbers")


def netpbm_samples(data: bytes) -> Samples | None:
    """The samples of a PGM or PPM whose largest value is above 255, or None for another."""
    header = NETPBM_HEADER.match(data)
    kind, width, height, largest = header.group(4, 5, 6, 7) if header else (None,) * 4
    if kind is None or int(largest) <= 255:
        return None
    if int(largest) > FULL_WHITE:
        raise Rejected(UNSUPPORTED, f"largest value {int(largest):,}")
    content = data[header.end() :]
    if kind in (b"P5", b"P6"):
        values = np.frombuffer(content, ">u2").astype(np.uint16)
    else:
        numbers = re.sub(rb"#[^\r\n]*", b"", content).split()
        values = np.array([int(number) for number in numbers]).clip(0, FULL_WHITE)
    values = values.astype(np.uint16).reshape(int(height), int(width), -1)
    return Samples(np.minimum(values, int(largest)), int(largest))
