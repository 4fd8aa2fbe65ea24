"""Small pictures of every kind, and ways to damage them."""

import io
import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 37, 53
SIDEWAYS = Image.Exif()
SIDEWAYS[0x0112] = 6  # turn by a quarter to the right


def picture(seed: int = 0) -> Image.Image:
    """A colour gradient with noise."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    gradient = np.stack([x / WIDTH, y / HEIGHT, (x + y) / (HEIGHT + WIDTH)], axis=-1) * 255
    noise = np.random.default_rng(seed).normal(0, 12, gradient.shape)
    return Image.fromarray((gradient + noise).clip(0, 255).astype(np.uint8))


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    """The bytes of a file that Pillow writes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def of_two(format: str) -> bytes:
    """The bytes of a file of two pictures; an image remembers how it was saved, so new ones."""
    return saved(picture(), format, save_all=True, append_images=[picture(1)])


def encoded(extension: str, image: Image.Image) -> bytes:
    """The bytes of a file of 16 bits a sample that OpenCV writes."""
    return cv2.imencode(extension, np.asarray(image)[..., ::-1].astype(np.uint16) * 257)[
        1
    ].tobytes()


def packed_tiff(grey: Image.Image) -> bytes:
    """The bytes of a TIFF file of 12 bits a sample, two samples in three bytes."""
    digits = "".join(
        "".join(f"{round(value * 4095 / 255):012b}" for value in row).ljust(
            -(-WIDTH * 12 // 8) * 8, "0"
        )
        for row in np.asarray(grey).tolist()
    )
    data = int(digits, 2).to_bytes(len(digits) // 8)
    tags = {256: WIDTH, 257: HEIGHT, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: HEIGHT}
    entries = (tags | {279: len(data)}).items()
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    count = struct.pack("<H", len(entries))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + count + directory + bytes(4)


def files() -> dict[str, bytes]:
    """A whole file of every kind that is taken, by a name that begins with its format."""
    rgb = picture()
    grey, palette, bits = rgb.convert("L"), rgb.convert("P"), rgb.convert("1")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    numbers = " ".join(map(str, np.asarray(rgb).ravel().tolist()))
    return {
        "jpeg": saved(rgb, "JPEG"),
        "jpeg progressive": saved(rgb, "JPEG", progressive=True),
        "jpeg 4:4:4": saved(rgb, "JPEG", subsampling=0),
        "jpeg grey": saved(grey, "JPEG"),
        "jpeg cmyk": saved(rgb.convert("CMYK"), "JPEG"),
        "jpeg restarts": saved(rgb, "JPEG", restart_marker_blocks=1),
        "jpeg sideways": saved(rgb, "JPEG", exif=SIDEWAYS),
        "jpeg of two": of_two("MPO"),
        "png": saved(rgb, "PNG"),
        "png grey": saved(grey, "PNG"),
        "png bits": saved(bits, "PNG"),
        "png palette": saved(palette, "PNG"),
        "png alpha": saved(rgb.convert("RGBA"), "PNG"),
        "png grey alpha": saved(rgb.convert("LA"), "PNG"),
        "png key colour": saved(rgb, "PNG", transparency=(255, 0, 255)),
        "png deep": saved(deep, "PNG"),
        "png sixteen": encoded(".png", rgb),
        "png animated": of_two("PNG"),
        "gif": saved(rgb, "GIF"),
        "gif animated": of_two("GIF"),
        "bmp": saved(rgb, "BMP"),
        "bmp palette": saved(palette, "BMP"),
        "webp": saved(rgb, "WEBP"),
        "webp lossless": saved(rgb, "WEBP", lossless=True),
        "webp animated": of_two("WEBP"),
        "tiff": saved(rgb, "TIFF"),
        "tiff lzw": saved(rgb, "TIFF", compression="tiff_lzw"),
        "tiff jpeg": saved(rgb, "TIFF", compression="jpeg"),
        "tiff fax": saved(bits, "TIFF", compression="group4"),
        "tiff deep": saved(deep, "TIFF"),
        "tiff sixteen": encoded(".tiff", rgb),
        "tiff packed grey": packed_tiff(grey),
        "tiff pages": of_two("TIFF"),
        "ppm": saved(rgb, "PPM"),
        "ppm grey": saved(grey, "PPM"),
        "ppm bits": saved(bits, "PPM"),
        "ppm deep": saved(deep, "PPM"),
        "ppm plain": f"P3\n# plain\n{WIDTH} {HEIGHT}\n255\n{numbers}\n".encode(),
    }


def cuts(data: bytes, count: int) -> Iterator[bytes]:
    """The beginnings of a file: `count` spread over it, and all that lack up to 40 bytes."""
    ends = {*range(0, len(data), max(1, len(data) // count)), *range(len(data) - 40, len(data))}
    for end in sorted(ends):
        yield data[:end]


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """The file with some bytes changed, most near its beginning, taken out or put in."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(random.integers(1, 5)):
            end = random.choice([min(200, len(changed)), len(changed)])
            changed[random.integers(end)] = random.integers(256)
        at, few = random.integers(len(changed)), random.integers(1, 20)
        if random.random() < 0.2:
            changed[at:at] = random.bytes(few)
        if random.random() < 0.2:
            del changed[at : at + few]
        yield bytes(changed)


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of the chunks of a PNG file."""
    found, position = [], 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        found.append((png[position + 4 : position + 8], png[position + 8 :][:length]))
        position += 12 + length
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of chunks, with right lengths and checksums."""
    framed = (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def wrong_pngs(png: bytes) -> Iterator[bytes]:
    """PNG files that break the standard although every checksum is right."""
    header, image, end = chunks(png)
    rows = zlib.decompress(image[1])
    yield png_of([(b"IHDR", header[1] + b"\0"), image, end])
    yield png_of([header, header, image, end])
    yield png_of([header, (b"ABCD", b"critical and unknown"), image, end])
    yield png_of([header, image, (b"IEND", b"not empty")])
    yield png_of([(b"IHDR", header[1][:10] + b"\7" + header[1][11:]), image, end])
    yield png_of([header, (b"IDAT", image[1][:-4] + b"sums"), end])  # Adler-32
    yield png_of([header, (b"IDAT", image[1] + b"more"), end])
    yield png_of([header, (b"IDAT", zlib.compress(rows + bytes(100))), end])
    yield png_of([header, (b"IDAT", zlib.compress(rows[:-100])), end])
    yield png_of([header, (b"IDAT", zlib.compress(b"\x09" + rows[1:])), end])  # no such filter
