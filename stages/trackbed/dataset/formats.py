"""What the bytes of a picture say before anything decodes them."""

import re
import struct
import zlib
from dataclasses import dataclass

# The formats that are taken, by Pillow's names; what it calls MPO it opens as JPEG.
FORMATS = ("JPEG", "PNG", "PPM", "BMP", "WEBP", "GIF", "TIFF")

# How files of these formats begin, to tell a damaged picture from something else.
SUPPORTED = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|P[1-6]\s|BM|RIFF....WEBP|GIF8[79]a"
    rb"|II[*+]\x00|MM\x00[*+]",
    re.DOTALL,
)
UNSUPPORTED = {
    "HEIC or AVIF": re.compile(rb"....ftyp(hei|hev|mif|msf|avi)", re.DOTALL),
    "JPEG 2000": re.compile(rb"\x00\x00\x00\x0cjP|\xff\x4f\xff\x51"),
    "JPEG XL": re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL"),
    "PSD": re.compile(rb"8BPS"),
    "PDF": re.compile(rb"%PDF-"),
    "SVG": re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg"),
    "PostScript": re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"),
    "icon": re.compile(rb"\x00\x00[\x01\x02]\x00[^\x00]\x00"),
    "PAM": re.compile(rb"P7\s"),
    "PFM": re.compile(rb"P[Ff]\s"),
}

# ITU-T T.81, table B.1. A marker is no stuffed zero and no restart.
JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
JPEG_START, JPEG_END, JPEG_ALONE = 0xD8, 0xD9, 0x01
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive

# https://www.w3.org/TR/png-3: signature; length, name, content and CRC of every chunk.
PNG_SIGNATURE_BYTES = 8
PNG_CRC_BYTES = 4
PNG_HEADER = struct.Struct(">IIBBBBB")
# Bit depth, colour type, compression, filter and interlace method of a header -> channels.
PNG_PLAIN = {(8, 0, 0, 0, 0): 1, (8, 2, 0, 0, 0): 3}
PNG_FILTERS = 5
PNG_SIDE = 1_000_000  # libpng's PNG_USER_WIDTH_MAX

NETPBM_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
NETPBM_HEADER = re.compile(
    rb"(P[14])%s([0-9]{1,10})%s([0-9]{1,10})\s" % (NETPBM_SPACE, NETPBM_SPACE)
    + rb"|(P[2356])%s([0-9]{1,10})%s([0-9]{1,10})%s([0-9]{1,10})\s" % ((NETPBM_SPACE,) * 3)
)
NETPBM_SAMPLES = {b"P2": 1, b"P3": 3, b"P5": 1, b"P6": 3}


def unsupported(data: bytes) -> str | None:
    """The name of a format that is not taken, if the data begin like one."""
    return next((name for name, start in UNSUPPORTED.items() if start.match(data)), None)


@dataclass(frozen=True)
class Jpeg:
    """The first picture of a JPEG file: how it is coded, and the first byte behind it."""

    frame: int  # second byte of its start-of-frame marker
    end: int


def first_jpeg(data: bytes) -> Jpeg | None:
    """The first picture of a JPEG file, or None if it has no end.

    Cameras write more behind it: further pictures (MPO), video, padding.
    """
    frame, position = 0, 2
    while found := JPEG_MARKER.search(data, position):
        marker, position = data[found.end() - 1], found.end()
        if marker == JPEG_END:
            return Jpeg(frame, position)
        if marker in JPEG_FRAMES:
            frame = marker
        if marker not in (JPEG_START, JPEG_ALONE):
            position += int.from_bytes(data[position : position + 2])
    return None


@dataclass(frozen=True)
class Chunk:
    """Name and content of a PNG chunk; it ends, with its CRC, before byte `end` of the file."""

    kind: bytes
    content: bytes
    end: int


def png_chunks(data: bytes) -> list[Chunk] | None:
    """The chunks of a PNG file up to IEND, or None if there is no end."""
    chunks = []
    position = PNG_SIGNATURE_BYTES
    while position < len(data):
        start = position + 8
        content = data[start : start + int.from_bytes(data[position : position + 4])]
        chunks.append(Chunk(data[position + 4 : start], content, start + len(content)))
        position = chunks[-1].end + PNG_CRC_BYTES
        if chunks[-1].kind == b"IEND" and position <= len(data):
            return chunks
    return None


def is_plain_png(chunks: list[Chunk]) -> bool:
    """Whether a PNG is 8-bit grey or RGB, opaque, not interlaced, and without any flaw.

    Pillow reads chunks on its own and forgives what stops libpng, TensorFlow's decoder. The
    checksums of the chunks are not looked at; Pillow has done so.
    """
    critical = [chunk.kind for chunk in chunks if not chunk.kind[0] & 0x20]
    parts = [chunk.content for chunk in chunks if chunk.kind == b"IDAT"]
    header = chunks[0].content
    if len(header) != PNG_HEADER.size or chunks[-1].content:
        return False
    if critical != [b"IHDR", *[b"IDAT"] * len(parts), b"IEND"]:
        return False
    width, height, *methods = PNG_HEADER.unpack(header)
    channels = PNG_PLAIN.get(tuple(methods))
    if channels is None or max(width, height) > PNG_SIDE:
        return False
    return _holds_rows(b"".join(parts), height, 1 + width * channels)


def _holds_rows(compressed: bytes, rows: int, row_bytes: int) -> bool:
    """Whether zlib data hold so many rows and no more, each beginning with a valid filter."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(compressed, rows * row_bytes + 1)
    except zlib.error:
        return False
    whole = len(content) == rows * row_bytes and inflater.eof and not inflater.unused_data
    return whole and max(content[::row_bytes]) < PNG_FILTERS


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
    words = re.finditer(rb"\S+", re.sub(rb"#[^\r\n]*", b"", data[header.end() :]))
    if kind == b"P1":  # blanks between the digits are optional
        return Amount(sum(len(word[0]) for word in words), columns * rows, "digits")
    return Amount(sum(1 for _ in words), columns * rows * NETPBM_SAMPLES[kind], "numbers")
