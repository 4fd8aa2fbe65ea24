"""The image formats that are accepted: one row of FORMATS each, and what their bytes must hold."""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from trackbed.pictures import file_names, standard_error
from trackbed.pictures import rejections as reasons
from trackbed.pictures.deep_pixels import Samples, netpbm_amount, netpbm_samples, png_samples
from trackbed.pictures.rejections import Rejected
from trackbed.records.resizing import Stored

# TensorFlow decodes no picture of more pixels (decode_image_op.cc: 2**29 bytes).
DECODABLE_PIXELS = (2**29 - 1) // 3

# How files of formats begin that are not accepted: patterns, compiled when they are used first.
UNSUPPORTED_STARTS = {
    "HEIC or AVIF": rb"(?s)....ftyp(hei|hev|mif|msf|avi)",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP|\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL",
    "PSD": rb"8BPS",
    "PDF": rb"%PDF-",
    "SVG": rb"\s*(<\?xml[^>]*>\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "icon": rb"\x00\x00[\x01\x02]\x00[^\x00]\x00",
    "PAM": rb"P7\s",
    "PFM": rb"P[Ff]\s",
    "TGA": rb"(?s).{2,}TRUEVISION-XFILE\.\x00\Z",
    "DICOM": rb"(?s).{128}DICM",
    "OpenEXR": rb"\x76\x2f\x31\x01",
    "Radiance HDR": rb"#\?R(ADIANCE|GBE)",
    "FITS": rb"SIMPLE  =",
    "DirectDraw surface": rb"DDS ",
    "QOI": rb"qoif",
    "JPEG XR": rb"II\xbc",
    "MNG or JNG": rb"[\x8a\x8b][MJ]NG",
    "HDF5": rb"\x89HDF\r\n",
    "a Git LFS pointer, run `git lfs pull`": rb"version https://git-lfs\.",
    "GIMP": rb"gimp xcf",
    "camera raw": rb"(?s)....ftypcrx|IIR[OS]|IIU\x00|MMOR|FUJIFILMCCD-RAW|FOVb|\x00MRM",
}

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# ITU-T T.81, table B.1. A marker is no stuffed zero and no restart.
JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
JPEG_START, JPEG_END, JPEG_ALONE = 0xD8, 0xD9, 0x01
JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
JPEG_LOSSLESS_FRAMES = {0xC3, 0xC7, 0xCB, 0xCF}
JPEG_HIERARCHICAL_FRAMES = {0xC5, 0xC6, 0xCD, 0xCE}
JPEG_LS_FRAME = 0xF7

# https://www.w3.org/TR/png-3: signature; length, name, content and CRC of every chunk.
PNG_SIGNATURE_BYTES = 8
PNG_CRC_BYTES = 4
PNG_HEADER = struct.Struct(">IIBBBBB")
# Bit depth, colour type, compression, filter and interlace method of a header -> channels.
PNG_PLAIN = {(8, 0, 0, 0, 0): 1, (8, 2, 0, 0, 0): 3}
PNG_FILTERS = 5
PNG_SIDE = 1_000_000  # libpng's PNG_USER_WIDTH_MAX


@dataclass(frozen=True)
class Jpeg:
    """The first picture of a JPEG file: how it is coded, and the first byte behind it."""

    frame: int  # second byte of its start-of-frame marker
    end: int


def _jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """The second byte of every marker outside of segments, and the first byte behind it."""
    position = 2
    while found := JPEG_MARKER.search(data, position):
        marker, position = data[found.end() - 1], found.end()
        yield marker, position
        if marker not in (JPEG_START, JPEG_END, JPEG_ALONE):
            position += int.from_bytes(data[position : position + 2])


def first_jpeg(data: bytes) -> Jpeg | None:
    """The first picture of a JPEG file, or None if it has no end.

    Cameras write more behind it: further pictures (MPO), video, padding.
    """
    frame = 0
    for marker, position in _jpeg_markers(data):
        if marker == JPEG_END:
            return Jpeg(frame, position)
        if marker in JPEG_FRAMES:
            frame = marker
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


def _jpeg_as_it_came(image: Image.Image, data: bytes) -> Stored:
    jpeg = first_jpeg(data)
    if jpeg is None:
        raise Rejected(reasons.TRUNCATED, f"no end of image in {len(data):,} bytes")
    plain = _is_decodable(image) and jpeg.frame in JPEG_HUFFMAN_FRAMES
    return ("jpeg", data[: jpeg.end]) if plain else None


def _png_as_it_came(image: Image.Image, data: bytes) -> Stored:
    chunks = png_chunks(data)
    if chunks is None:
        raise Rejected(reasons.TRUNCATED, f"no end of image in {len(data):,} bytes")
    plain = _is_decodable(image) and image.n_frames == 1 and is_plain_png(chunks)
    return ("png", data[: chunks[-1].end + PNG_CRC_BYTES]) if plain else None


def _refuse_other_amount(_: Image.Image, data: bytes) -> Stored:
    """Refuse a Netpbm file whose pixel data do not fit its header."""
    amount = netpbm_amount(data)
    if amount is None:
        raise unidentified(data)
    if amount.given != amount.expected:
        raise Rejected(
            reasons.WRONG_LENGTH,
            f"pixel data of {amount.given:,} {amount.unit}, header says {amount.expected:,}",
        )


def _is_decodable(image: Image.Image) -> bool:
    return image.width * image.height <= DECODABLE_PIXELS


@contextmanager
def libtiff_errors() -> Iterator[None]:
    """Raise Rejected for errors of libtiff, which else only prints them."""
    failure: Exception | None = None
    with standard_error.caught() as messages:
        try:
            yield
        except Exception as error:
            failure = error
    message = messages.first.removeprefix("tempfile.tif: ")
    if message and not isinstance(failure, Rejected):
        reason = reasons.UNSUPPORTED if NOT_SUPPORTED.search(message) else reasons.DAMAGED
        raise Rejected(reason, file_names.printable(message))
    if failure:
        raise failure


NOT_SUPPORTED = re.compile("unsupported|not (yet )?support|not configured|cannot handle", re.I)


def unsupported_kind(data: bytes) -> str | None:
    """The kind of a JPEG or PNG that is valid but not read; None for another file."""
    if data[12:16] == b"CgBI":
        return "PNG of Apple's own kind (CgBI)"
    markers = _jpeg_markers(data) if data.startswith(b"\xff\xd8\xff") else ()
    for marker, position in markers:
        if marker in JPEG_FRAMES or marker == JPEG_LS_FRAME:
            return _jpeg_kind(marker, *data[position + 2 : position + 8 : 5])
    return None


def _jpeg_kind(frame: int, bits: int = 8, bands: int = 3) -> str | None:
    """The kind of a JPEG by its frame (ITU-T T.81, table B.1; T.87), or None for a usual one."""
    if frame == JPEG_LS_FRAME:
        return f"JPEG-LS of {bits} bits"
    if frame in JPEG_LOSSLESS_FRAMES:
        return f"lossless JPEG of {bits} bits"
    if frame in JPEG_HIERARCHICAL_FRAMES:
        return "hierarchical JPEG"
    if bits != 8:
        return f"{bits}-bit JPEG"
    if bands not in (1, 3, 4):
        return f"JPEG of {bands} bands"
    return None if frame in JPEG_HUFFMAN_FRAMES else "arithmetic-coded JPEG"


@dataclass(frozen=True)
class Format:
    """An image format that is accepted.

    name: Pillow's, and the index's. alias: Pillow's for some of its files. start: how its files
    begin. as_it_came: checks what Pillow does not, and returns what can be stored instead of
    pixels; samples: those of more than 8 bits, if any, of a file that a function opens. Both raise
    Rejected. bytes_per_pixel: at most in a file.
    """

    name: str
    start: bytes
    as_it_came: Callable[[Image.Image, bytes], Stored] = lambda image, data: None
    samples: Callable[[Callable[[], Image.Image], bytes], Samples | None] = lambda opened, data: (
        None
    )
    bytes_per_pixel: int = 8  # four channels of 16 bits
    alias: str = ""


FORMATS = (
    Format("JPEG", rb"\xff\xd8\xff", _jpeg_as_it_came, alias="MPO"),
    Format("PNG", rb"\x89PNG\r\n\x1a\n", _png_as_it_came, lambda opened, _: png_samples(opened)),
    # The numbers of a plain PPM are text: three with line feeds.
    Format("PPM", rb"P[1-6]\s", _refuse_other_amount, lambda _, data: netpbm_samples(data), 18),
    Format("BMP", rb"BM"),
    Format("WEBP", rb"RIFF....WEBP"),
    Format("GIF", rb"GIF8[79]a"),
    Format("TIFF", rb"II[*+]\x00|MM\x00[*+]", bytes_per_pixel=16),
)
NAMES = tuple(format.name for format in FORMATS)


def named(name: str) -> Format:
    """The format with a name that Pillow gives to a file."""
    return next(format for format in FORMATS if name in (format.name, format.alias))


def is_known(data: bytes) -> bool:
    """Whether a file begins as one of FORMATS does."""
    return any(re.match(format.start, data, re.DOTALL) for format in FORMATS)


def unidentified(data: bytes) -> Rejected:
    """Why a file that Pillow cannot identify is rejected, by its first bytes."""
    if is_known(data):
        return Rejected(reasons.DAMAGED, "its header cannot be read")
    name = next((name for name, start in UNSUPPORTED_STARTS.items() if re.match(start, data)), None)
    return Rejected(reasons.UNSUPPORTED, name) if name else Rejected(reasons.NOT_AN_IMAGE)
