"""Decode the bytes of a picture with Pillow, trusting none of them, into 8-bit RGB."""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from trackbed.dataset import formats
from trackbed.dataset import schema as reasons
from trackbed.dataset.schema import UNSUPPORTED, Limits, Rejected

ORIENTATION = 0x0112  # EXIF tag; values as in Exif 2.32, 4.6.4
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # TIFF tag 'PhotometricInterpretation'
WHITE = (255, 255, 255, 255)


def as_rgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB, by the rules in trackbed.dataset.images; not turned.

    Raises Rejected for grey values whose range Pillow does not know.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F":
        raise Rejected(UNSUPPORTED, "32-bit floating-point pixels")
    if image.mode.startswith("I"):
        if getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO:
            raise Rejected(UNSUPPORTED, "16-bit TIFF whose 0 is white, which Pillow overlooks")
        return _grey_from_16_bits(image).convert("RGB")
    if _is_transparent(image):
        straight = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), straight).convert("RGB")
    return image.convert("RGB")


def orientation(image: Image.Image) -> Image.Transpose | None:
    """How to turn a decoded picture upright; None if it is, or has no EXIF orientation."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION))
    except Exception:
        # Damaged EXIF data fail in many ways; the pixels may still be good.
        return None


def _grey_from_16_bits(image: Image.Image) -> Image.Image:
    """Grey 0..65535 as 0..255; Pillow's own conversion clips, which makes it white."""
    grey = np.asarray(image).astype(np.int64)
    if grey.min() < 0 or grey.max() > 65535:
        raise Rejected(UNSUPPORTED, f"32-bit pixels from {grey.min():,} to {grey.max():,}")
    return Image.fromarray(((grey + 128) // 257).astype(np.uint8))


def _is_transparent(image: Image.Image) -> bool:
    key = image.info.get("transparency")
    # The key colour of a 16-bit picture is lost with its lower bits.
    if isinstance(key, int | tuple) and np.max(key) > 255:
        return False
    return image.has_transparency_data


@dataclass(frozen=True)
class Decoded:
    """The pixels of a picture, and its bytes if they can be stored as they came."""

    image: Image.Image  # mode RGB, upright
    format: str  # by content, one of formats.NAMES, or RAW
    stored: formats.Stored


def decoded(data: bytes, limits: Limits, whole: bool = True) -> Decoded:
    """Check and decode the bytes of a file. Raises Rejected, and nothing else.

    `whole`: whether to check the shape, too; not where a box will be cut out.
    """
    if not data:
        raise Rejected(reasons.EMPTY)
    with _rejecting(data, limits):
        return _checked(data, limits, whole)


def size_and_format(file: BinaryIO, head: bytes, limits: Limits) -> tuple[int, int, formats.Format]:
    """Width, height and format in the header of a file that begins with `head`.

    Raises Rejected, and nothing else.
    """
    with _rejecting(head, limits), Image.open(file, formats=formats.NAMES) as image:
        return *image.size, formats.named(image.format)


@contextmanager
def _rejecting(data: bytes, limits: Limits) -> Iterator[None]:
    """Turn every error into Rejected; data: the first bytes of the file."""
    try:
        with pillow_limits(limits.pixels):
            yield
    except Rejected:
        raise
    except Image.DecompressionBombError as error:
        number = re.search(r"\d+", str(error))
        raise limits.too_many(f"{int(number[0]):,}" if number else "more") from None
    except UnidentifiedImageError:
        raise formats.unidentified(data) from None
    except Exception as error:
        # On damaged data Pillow's decoders raise errors of nearly every type.
        raise Rejected(*_reason_and_detail(error)) from None


@contextmanager
def pillow_limits(max_pixels: int | None) -> Iterator[None]:
    """Pillow with this limit, or none, in place of its own, and without its warnings."""
    logger = logging.getLogger("PIL.TiffImagePlugin")
    limit, disabled = Image.MAX_IMAGE_PIXELS, logger.disabled
    Image.MAX_IMAGE_PIXELS, logger.disabled = max_pixels, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, logger.disabled = limit, disabled


def _checked(data: bytes, limits: Limits, whole: bool) -> Decoded:
    # verify() sees what load() does not, such as wrong checksums, and uses the picture up.
    with _opened(data) as image:
        limits.refuse_large(*image.size)
        if whole:
            limits.refuse_shape(*image.size)
        image.verify()
        format = formats.named(image.format)
        stored = format.as_it_came(image, data)
    with _opened(data) as image:
        format.load(image)
        turn = orientation(image)
        if turn is not None or image.mode not in ("RGB", "L") or "transparency" in image.info:
            stored = None
        upright = as_rgb(image)
        if turn is not None:
            upright = upright.transpose(turn)
        return Decoded(upright, format.name, stored)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=formats.NAMES)


def _reason_and_detail(error: Exception) -> tuple[str, str]:
    text = (str(error).splitlines() or [""])[0]
    text = reasons.printable(re.sub(r" at 0x[0-9a-f]+", "", text)) or type(error).__name__
    return (reasons.TRUNCATED if "truncated" in text.lower() else reasons.DAMAGED), text
