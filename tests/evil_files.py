"""Files that try to fool a reader of pictures: name, content, and what must become of them."""

import functools
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator

import evil
import numpy as np
from PIL import Image

ACCEPTED = "accepted"
EMPTY, DAMAGED, TRUNCATED = "rejected: empty", "rejected: damaged", "rejected: truncated"
BROKEN = (DAMAGED, TRUNCATED)
LENGTH = "rejected: wrong length"
NO_IMAGE, OTHER = "rejected: not an image", "rejected: unsupported format"
LARGE, LONG = "rejected: too many pixels", "rejected: too many bytes"
SMALL, NARROW = "rejected: too small", "rejected: too narrow"

Content = tuple[str, bytes, str | tuple[str, ...]]
"""A file's name, its bytes, and what is expected: one of the above, or any of some."""


def contents() -> list[Content]:
    """All cases, each with a name of its own."""
    parts = (polyglots(), disguises(), cuts(), bombs(), oddities(), exif(), tiffs(), netpbm())
    return [case for part in parts for case in part]


def zipped() -> bytes:
    """A zip archive with a script in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evil.sh", "#!/bin/sh\ntouch stolen\n")
    return buffer.getvalue()


def polyglots() -> Iterator[Content]:
    """Pictures that are something else as well."""
    jpeg, png, gif = (evil.saved(evil.picture(1), kind) for kind in ("JPEG", "PNG", "GIF"))
    script = b"<script>alert(1)</script>"
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(script)) + script
    yield "jpeg and zip.jpg", jpeg + zipped(), ACCEPTED
    yield "png and zip.png", png + zipped(), ACCEPTED
    yield "gif and script.gif", gif + b"*/=1;alert(1)//", ACCEPTED
    yield "jpeg with script.jpg", jpeg[:2] + comment + jpeg[2:], ACCEPTED
    yield "png with script.png", evil.saved(evil.picture(1), "PNG", pnginfo=_text(script)), ACCEPTED
    yield "pdf and jpeg.jpg", b"%PDF-1.4\n" + jpeg, OTHER
    yield "zip and jpeg.jpg", zipped() + jpeg, NO_IMAGE
    yield "html and jpeg.jpg", script + jpeg, NO_IMAGE
    yield "jpeg twice.jpg", jpeg + jpeg, ACCEPTED


def _text(script: bytes) -> object:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", script.decode())
    return info


def disguises() -> Iterator[Content]:
    """Other contents under the name of a picture, and pictures under other names."""
    jpeg, png = (evil.saved(evil.picture(2), kind) for kind in ("JPEG", "PNG"))
    yield "png.jpg", png, ACCEPTED
    yield "jpeg.png", jpeg, ACCEPTED
    yield "jpeg.exe", jpeg, ACCEPTED
    yield "picture without extension", png, ACCEPTED
    yield "animated webp.jpg", evil.of_two("WEBP"), ACCEPTED
    yield "zero bytes.png", b"", EMPTY
    yield "one byte.png", b"\x89", NO_IMAGE
    yield "zeros.png", bytes(4096), NO_IMAGE
    yield "text.png", b"This is no picture.\n" * 50, NO_IMAGE
    yield "page.png", b"<!DOCTYPE html><html><body onload=alert(1)></body></html>", NO_IMAGE
    yield "drawing.png", b"<?xml version='1.0'?>\n<svg xmlns='x' onload='alert(1)'/>", OTHER
    yield (
        "bomb.svg",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>",
        NO_IMAGE,
    )
    yield "script.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", OTHER
    yield "dos.eps", b"\xc5\xd0\xd3\xc6" + bytes(26) + b"%!PS-Adobe-3.0 EPSF-3.0\n", OTHER
    yield "photo.heic", bytes(3) + b"\x18ftypheic" + bytes(60), OTHER
    yield "photo.avif", bytes(3) + b"\x18ftypavif" + bytes(60), OTHER
    yield "photo.jp2", b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60), OTHER
    yield "photo.jxl", b"\xff\x0a" + bytes(60), OTHER
    yield "layers.psd", b"8BPS\x00\x01" + bytes(60), OTHER
    yield "favicon.ico", evil.saved(evil.picture(2).resize((16, 16)), "ICO"), OTHER
    yield "font.ttf.png", b"\x00\x01\x00\x00\x00\x10" + bytes(100), NO_IMAGE
    yield "program.png", b"\x7fELF" + bytes(100), NO_IMAGE
    yield "archive.png", zipped(), NO_IMAGE
    yield "pickle.png", pickle.dumps({"os": "system"}), NO_IMAGE


HEADS = {"jpeg": 3, "png": 8, "gif": 6, "bmp": 2, "webp": 12, "tiff": 4, "ppm": 3}


def cuts() -> Iterator[Content]:
    """Files that end too early."""
    for kind, length in HEADS.items():
        whole = evil.saved(evil.picture(3), kind.upper())
        yield f"signature of a {kind}", whole[:length], (*BROKEN, NO_IMAGE)
        for share in (10, 50, 90):
            expected = (*BROKEN, LENGTH) if kind == "ppm" else BROKEN
            yield f"{share} percent of a {kind}", whole[: len(whole) * share // 100], expected
        if kind not in ("gif", "bmp"):  # whose last byte is an end without use, or padding
            yield f"{kind} without its last byte", whole[:-1], (*BROKEN, LENGTH)
    yield "jpeg without its end.jpg", evil.saved(evil.picture(3), "JPEG")[:-2], TRUNCATED
    thumbnail = evil.saved(evil.picture(3).resize((16, 16)), "JPEG")
    inside = evil.saved(evil.picture(3), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0" + thumbnail)
    yield "jpeg with the end of its thumbnail alone.jpg", inside[:-200], TRUNCATED
    for number, wrong in enumerate(evil.wrong_pngs(evil.saved(evil.picture(3), "PNG"))):
        yield f"png against its standard {number}.png", wrong, (ACCEPTED, *BROKEN)


@functools.cache
def _megabytes() -> bytes:
    """300 of them, deflated."""
    return zlib.compress(bytes(300 * 2**20), 9)


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    """The first chunk of a PNG."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)


def bombs() -> Iterator[Content]:
    """Small files that ask for much memory."""
    few = (b"IDAT", zlib.compress(bytes(1000)))
    end = (b"IEND", b"")
    megabytes = _megabytes()
    first, image, _ = evil.chunks(evil.saved(evil.picture(4), "PNG"))
    yield "60000 x 60000.png", evil.png_of([header(60_000, 60_000), few, end]), LARGE
    yield "2 to the 31.png", evil.png_of([header(2**31 - 1, 2**31 - 1), few, end]), (LARGE, DAMAGED)
    yield "7000 x 7000 with few rows.png", evil.png_of([header(7000, 7000), few, end]), BROKEN
    yield "too much behind the rows.png", evil.png_of([first, (b"IDAT", megabytes), end]), ANY
    for kind in (b"zTXt", b"iCCP"):
        chunk = (kind, b"name\0\0" + megabytes)
        yield f"300 MB in {kind.decode()}.png", evil.png_of([first, chunk, image, end]), ANY
    international = (b"iTXt", b"name\0\1\0\0\0" + megabytes)
    yield "300 MB in iTXt.png", evil.png_of([first, international, image, end]), ANY
    text = (b"zTXt", b"name\0\0" + zlib.compress(bytes(2**20 - 1), 9))
    yield "500 texts of 1 MB.png", evil.png_of([first, *[text] * 500, image, end]), ANY
    gif = evil.saved(evil.picture(4), "GIF")
    yield "65535 x 65535.gif", gif[:6] + b"\xff" * 4 + gif[10:], LARGE
    at = gif.index(b"\x2c", 6 + 7 + 3 * 256)  # image descriptor: left, top, width, height
    yield (
        "frame of 65535 x 65535.gif",
        gif[: at + 5] + b"\xff" * 4 + gif[at + 9 :],
        (LARGE, *BROKEN),
    )
    webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" * 2
    yield "16777216 x 16777216.webp", _riff(webp), (LARGE, DAMAGED)
    bmp = bytearray(evil.saved(evil.picture(4), "BMP"))
    bmp[18:26] = struct.pack("<ii", 2**31 - 1, 2**31 - 1)
    yield "2 to the 31.bmp", bytes(bmp), LARGE
    yield "99999999 x 99999999.ppm", b"P6 99999999 99999999 255\n" + bytes(99), LARGE
    jpeg = bytearray(evil.saved(evil.picture(4), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    yield "65535 x 65535.jpg", bytes(jpeg), LARGE
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 7000, 7000)
    yield "7000 x 7000 with few blocks.jpg", bytes(jpeg), (ACCEPTED, *BROKEN)


ANY = (ACCEPTED, *BROKEN)


def _riff(chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def oddities() -> Iterator[Content]:
    """Pictures that follow the standards in ways few do."""
    rgb = evil.picture(5)
    grey = rgb.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    yield "animated.png", evil.of_two("PNG"), ACCEPTED
    yield "animated.gif", evil.of_two("GIF"), ACCEPTED
    yield "camera with two pictures.jpg", evil.of_two("MPO"), ACCEPTED
    yield "two pages.tif", evil.of_two("TIFF"), ACCEPTED
    yield "grey of 16 bits.png", evil.saved(deep, "PNG"), ACCEPTED
    yield "inverted cmyk.jpg", evil.saved(rgb.convert("CMYK"), "JPEG"), ACCEPTED
    yield "lab.tif", evil.saved(Image.new("LAB", (40, 30)), "TIFF"), ACCEPTED
    yield "floats.tif", evil.saved(Image.new("F", (40, 30)), "TIFF"), OTHER
    yield "palette with transparency.png", _palette("PNG"), ACCEPTED
    yield "palette with transparency.gif", _palette("GIF"), ACCEPTED
    yield "palette too short.png", _short_palette(), ANY
    yield "black and white.png", evil.saved(rgb.convert("1"), "PNG"), ACCEPTED
    yield "interlaced header.png", _interlaced(), ANY
    yield "one pixel wide.png", evil.saved(rgb.resize((1, 300)), "PNG"), SMALL
    yield "one pixel.gif", evil.saved(rgb.resize((1, 1)), "GIF"), SMALL
    yield "7 x 7.jpg", evil.saved(rgb.resize((7, 7)), "JPEG"), SMALL
    yield "8 x 8.jpg", evil.saved(rgb.resize((8, 8)), "JPEG"), ACCEPTED
    yield "strip.png", evil.saved(rgb.resize((10, 201)), "PNG"), NARROW
    yield (
        "no height.png",
        evil.png_of([header(9, 0), (b"IDAT", b""), (b"IEND", b"")]),
        (SMALL, DAMAGED),
    )
    yield "no width.gif", evil.saved(rgb, "GIF")[:6] + bytes(4) + b"\0\0\0;", (SMALL, DAMAGED)
    yield "upside down.bmp", _bmp(height=-evil.HEIGHT), ACCEPTED
    yield "least height.bmp", _bmp(height=-(2**31)), (LARGE, DAMAGED)
    yield "run lengths.bmp", _run_lengths(), ACCEPTED
    yield "run lengths that overrun.bmp", _run_lengths(b"\xff\x01" * 200), ANY
    yield "progressive.jpg", evil.saved(rgb, "JPEG", progressive=True), ACCEPTED
    yield "arithmetic.jpg", evil.saved(rgb, "JPEG").replace(b"\xff\xc0", b"\xff\xc9"), (*ANY, OTHER)
    yield "twelve bits.jpg", _twelve_bits(), (OTHER, *BROKEN)


def _palette(kind: str) -> bytes:
    image = evil.picture(5).convert("P")
    return evil.saved(image, kind, transparency=7)


def _short_palette() -> bytes:
    first, *rest = evil.chunks(evil.saved(evil.picture(5).convert("P"), "PNG"))
    return evil.png_of([first, *[(k, c[:6] if k == b"PLTE" else c) for k, c in rest]])


def _interlaced() -> bytes:
    first, *rest = evil.chunks(evil.saved(evil.picture(5), "PNG"))
    return evil.png_of([(first[0], first[1][:-1] + b"\1"), *rest])


def _bmp(height: int) -> bytes:
    bmp = bytearray(evil.saved(evil.picture(5), "BMP"))
    bmp[22:26] = struct.pack("<i", height)
    return bytes(bmp)


def _run_lengths(row: bytes = b"\x10\x01\x00\x00") -> bytes:
    """A BMP of 16 x 16 in RLE8: every row is 16 pixels of colour 1."""
    palette = bytes([0, 0, 0, 0, 40, 90, 200, 0]) + bytes(4 * 254)
    data = row * 16 + b"\0\1"
    start = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, 16, 16, 1, 8, 1, len(data), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start) + info + palette + data


def _twelve_bits() -> bytes:
    jpeg = bytearray(evil.saved(evil.picture(5), "JPEG"))
    jpeg[jpeg.index(b"\xff\xc0") + 4] = 12
    return bytes(jpeg)


def exif() -> Iterator[Content]:
    """Pictures with EXIF data, right, wrong and without an end."""
    for orientation in range(1, 9):
        tags = Image.Exif()
        tags[0x0112] = orientation
        yield f"orientation {orientation}.jpg", _with_exif(tags.tobytes()), ACCEPTED
    for name, tiff in {
        "orientation 77": _ifd([(0x0112, 3, 1, 77)]),
        "nothing but a header": b"II*\0\x08\0\0\0",
        "offset beyond the end": b"MM\0*\xff\xff\xff\xff",
        "directory that is its own next": _ifd([(0x0112, 3, 1, 1)], following=8),
        "subdirectory that is its parent": _ifd([(0x8769, 4, 1, 8)]),
        "number of tags that is not there": b"II*\0\x08\0\0\0\xff\xff",
        "tags of four gigabytes": _ifd([(0x010E + n, 2, 2**32 - 1, 8) for n in range(200)]),
        "tags that share their bytes": _ifd([(0x9000 + n, 7, 3000, 8) for n in range(300)]),
        "noise": np.random.default_rng(0).bytes(3000),
    }.items():
        yield f"exif, {name}.jpg", _with_exif(b"Exif\0\0" + tiff), ACCEPTED


def _with_exif(data: bytes) -> bytes:
    return evil.saved(evil.picture(6), "JPEG", exif=data)


def _ifd(tags: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A little-endian TIFF of one directory: tag, type, count, and value or offset."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    )


def tiffs() -> Iterator[Content]:
    """TIFF files whose directories lie."""
    side = 16
    tags = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 400, 277: 1, 278: side, 279: side**2}
    pixels = bytes(range(256))
    for name, changes, following, expected in [
        ("plain", {}, 0, ACCEPTED),
        ("directory that is its own next", {}, 8, ACCEPTED),
        ("6000 x 6000 in one strip of few bytes", {256: 6000, 257: 6000, 278: 6000}, 0, BROKEN),
        ("rows without end per strip", {278: 2**32 - 1}, 0, ANY),
        ("strip of four gigabytes", {279: 2**32 - 1}, 0, ANY),
        ("strip beyond the end", {273: 2**31}, 0, BROKEN),
        ("deflate of nothing", {259: 8}, 0, BROKEN),
        ("unknown compression", {259: 31_337}, 0, (OTHER, *BROKEN)),
        ("sides of four thousand million", {256: 2**32 - 1, 257: 2**32 - 1}, 0, (LARGE, DAMAGED)),
        ("no samples", {277: 0}, 0, (OTHER, *ANY)),
        ("a thousand samples", {277: 1000}, 0, (OTHER, *BROKEN)),
        ("a thousand bits", {258: 1000}, 0, (OTHER, *BROKEN)),
    ]:
        directory = [(tag, 4, 1, value) for tag, value in (tags | changes).items()]
        yield f"{name}.tif", _ifd(directory, following).ljust(400, b"\0") + pixels, expected
    deflated = _megabytes()
    bomb = tags | {259: 8, 279: len(deflated)}
    directory = [(tag, 4, 1, value) for tag, value in bomb.items()]
    yield "300 MB deflated.tif", _ifd(directory).ljust(400, b"\0") + deflated, ANY


def netpbm() -> Iterator[Content]:
    """PPM files, which have neither checksums nor an end."""
    rgb = evil.picture(7)
    ppm = evil.saved(rgb, "PPM")
    start = ppm.index(b"255\n") + 4
    unix = ppm[:start] + b"\r\n\n" + ppm[start + 3 :]
    yield "whole.ppm", unix, ACCEPTED
    yield "line feeds made two.ppm", unix.replace(b"\n", b"\r\n"), LENGTH
    yield "line feeds made one.ppm", unix.replace(b"\r\n", b"\n"), LENGTH
    yield "a byte more.ppm", ppm + b"\0", LENGTH
    for highest, depth, expected in [
        ("0", 1, (DAMAGED, NO_IMAGE)),
        ("1", 1, ACCEPTED),
        ("100", 1, ACCEPTED),
        ("256", 2, ACCEPTED),
        ("65535", 2, ACCEPTED),
        ("65536", 2, (DAMAGED, NO_IMAGE)),
        ("-1", 1, (DAMAGED, NO_IMAGE)),
        ("1e3", 1, (DAMAGED, NO_IMAGE)),
        ("9999999999999999999999", 1, (DAMAGED, NO_IMAGE)),
    ]:
        content = f"P6 16 16 {highest}\n".encode() + bytes([0, 1] * (16 * 16 * 3 * depth // 2))
        yield f"highest value {highest}.ppm", content, expected
    yield "negative side.ppm", b"P6 -16 16 255\n" + bytes(768), (DAMAGED, NO_IMAGE)
    yield "comment without end.ppm", b"P6 #" + b"x" * 100_000, (DAMAGED, NO_IMAGE)
    yield "numbers beyond the highest.ppm", b"P3 8 8 255\n" + b"999 " * 192, (ACCEPTED, DAMAGED)
    yield "words for numbers.ppm", b"P3 8 8 255\n" + b"red " * 192, DAMAGED
