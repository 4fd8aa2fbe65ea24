"""Check and decode one picture of a source.

Pixels become 8-bit RGB, upright by their EXIF orientation:
- grey is repeated in the three channels, black and white is 0 and 255, palettes are expanded;
- transparent pixels are laid over white;
- CMYK, YCbCr and LAB are converted by Pillow; colour profiles are not applied;
- 16 bits become 8 by rounding (65535 is 255) for grey, by dropping the lower 8 for colour; a key
  colour of 16 bits is ignored;
- of several frames or pages the first counts.
Grey of 32 bits is rejected unless it is within 0..65535. What is kept as it came is an upright
8-bit RGB or grey JPEG (its first picture alone) or PNG that is not to be cropped.
"""

import hashlib
import stat
from pathlib import Path

import numpy as np
from PIL import Image

from trackbed.ingest import entries as reasons
from trackbed.ingest import long_files
from trackbed.ingest.decoding import Decoded, decoded
from trackbed.ingest.entries import Box, Entry, Picture, RawPixels, Rejected
from trackbed.ingest.limits import Limits
from trackbed.ingest.quality import quality

__all__ = ["Picture", "Rejected", "difference_hash", "load"]


def load(entry: Entry, limits: Limits, crop_margin: float = 0.0) -> Picture:
    """Check and decode a picture, upright and cropped to its box.

    The box counts in the upright picture; `crop_margin` adds this share of its sides to every
    side, as far as the picture reaches. `limits.pixels` is for the whole picture, the other
    limits are for what is kept of it. Raises Rejected, and nothing else, for a file that
    cannot be used. Pillow's warnings are off meanwhile, in this process: not thread-safe.
    """
    data = _read(entry, limits)
    if entry.raw is not None:
        source = Decoded(_of_raw(data, entry.raw), "RAW", None)
    else:
        source = decoded(data, limits, whole=entry.box is None)
    image, kept = source.image, source.kept
    if entry.box is not None:
        image, kept = image.crop(_within(image, entry.box, crop_margin)), None
        limits.refuse_shape(*image.size)
    pixels, grey = image.tobytes(), image.convert("L")
    encoding, stored = kept or ("raw", pixels)
    return Picture(
        data=stored,
        encoding=encoding,
        format=source.format,
        height=image.height,
        width=image.width,
        sha256=_digest(data, entry.box),
        perceptual_hash=difference_hash(grey),
        pixel_hash=_pixel_hash(image.size, pixels),
        **quality(grey)._asdict(),
    )


def difference_hash(grey: Image.Image) -> str:
    """A 64-bit hash that resembles that of similar pictures: 16 hexadecimal digits.

    grey: mode L. Bit by bit and row by row: is a pixel of the 9 x 8 picture darker than its right
    neighbour? (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.)
    """
    small = grey.resize((9, 8), Image.Resampling.BOX)
    values = np.frombuffer(small.tobytes(), np.uint8).reshape(8, 9)
    return np.packbits(values[:, :-1] < values[:, 1:]).tobytes().hex()


def _pixel_hash(size: tuple[int, int], pixels: bytes) -> str:
    digest = hashlib.blake2b(f"{size}".encode(), digest_size=16)
    digest.update(pixels)
    return digest.hexdigest()


def _read(entry: Entry, limits: Limits) -> bytes:
    """The bytes of a regular file, or of the pixels of a record in it."""
    try:
        status = entry.path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(reasons.NOT_REGULAR, stat.filemode(status.st_mode))
        if entry.raw is not None:
            return _read_raw(entry.path, entry.raw, limits)
        long_files.refuse(entry.path, status.st_size, limits)
        return entry.path.read_bytes()
    except OSError as error:
        raise Rejected(reasons.UNREADABLE, error.strerror or "") from None


def _read_raw(path: Path, raw: RawPixels, limits: Limits) -> bytes:
    limits.refuse_large(raw.width, raw.height)
    expected = max(0, raw.height) * max(0, raw.width) * raw.depth
    if raw.length != expected or not expected:
        raise Rejected(
            reasons.WRONG_LENGTH,
            f"pixel data of {raw.length:,} bytes, {raw.height} x {raw.width} x {raw.depth} "
            f"are {expected:,}",
        )
    limits.refuse_shape(raw.width, raw.height)
    with path.open("rb") as file:
        file.seek(raw.offset)
        data = file.read(raw.length)
    if len(data) < raw.length:
        raise Rejected(reasons.TRUNCATED, f"{len(data):,} of {raw.length:,} bytes")
    return data


def _of_raw(data: bytes, raw: RawPixels) -> Image.Image:
    mode = "L" if raw.depth == 1 else "RGB"
    return Image.frombytes(mode, (raw.width, raw.height), data).convert("RGB")


def _within(image: Image.Image, box: Box, margin: float) -> Box:
    left, top, right, bottom = box
    if right > image.width or bottom > image.height:
        raise Rejected(
            reasons.BOX_OUTSIDE,
            f"box {left},{top},{right},{bottom} of {image.width} x {image.height} pixels",
        )
    beside, above = round(margin * (right - left)), round(margin * (bottom - top))
    return (
        max(0, left - beside),
        max(0, top - above),
        min(image.width, right + beside),
        min(image.height, bottom + above),
    )


def _digest(data: bytes, box: Box | None) -> str:
    digest = hashlib.sha256(data)
    if box is not None:
        digest.update(f"{box}".encode())
    return digest.hexdigest()
