"""Decode the bytes of a picture with Pillow, trusting none of them, into 8-bit RGB."""

import io
import logging
import math
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from trackbed.pictures import deep_pixels, file_names, formats, plain_jpeg
from trackbed.pictures import rejections as reasons
from trackbed.pictures.deep_pixels import Samples
from trackbed.pictures.rejections import UNSUPPORTED, Limits, Rejected

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
WHITE = (255, 255, 255, 255)
# Of a colour profile that changes no colour by more, the pixels are those of sRGB.
SRGB_TOLERANCE = 2  # grey levels of 255
PROFILE_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}  # bytes 16 to 19 of a profile


def as_rgb(image: Image.Image) -> Image.Image:
    """A decoded picture in mode RGB and sRGB colours, by the rules in docs/sources.md; not turned.

    Raises Rejected for values whose range Pillow does not know.
    """
    if image.mode == "RGB" and not {"transparency", "icc_profile"} & image.info.keys():
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        kind = "floating-point pixels" if image.mode == "F" else "pixels"
        raise Rejected(UNSUPPORTED, f"32-bit {kind}")
    if not image.has_transparency_data:
        return _in_srgb(image)
    straight = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    colours, alpha = straight.convert("RGB"), straight.getchannel("A")
    colours.info["icc_profile"] = image.info.get("icc_profile")
    colours = _in_srgb(colours)
    if not alpha.getextrema()[1]:  # 0 everywhere: unused, as in many 32-bit BMP files
        return colours
    colours.putalpha(alpha)
    return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), colours).convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """An opaque picture in mode RGB, its colours converted from those of its profile."""
    mode, transform = conversion(image)
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return transform.apply(image if image.mode == mode else image.convert(mode))


def conversion(image: Image.Image) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """What converts the colours of a picture to sRGB, and the mode that it takes; None: nothing."""
    profile = image.info.get("icc_profile")
    mode = image.mode if image.mode in PROFILE_SPACES else "RGB"
    if not isinstance(profile, bytes):
        return mode, None
    if mode == "L" and profile[16:20] != PROFILE_SPACES["L"]:
        mode = "RGB"  # some grey files have a profile of RGB
    return mode, _to_srgb(profile, mode)


@lru_cache(maxsize=32)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What converts colours of a mode from a profile (ICC.1) to sRGB.

    None where that changes nothing that can be seen, for a profile of other colours than those of
    the mode, and for one that cannot be read. Relative colorimetric, black to black.
    """
    if profile[16:20] != PROFILE_SPACES[mode]:
        return None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        colours = _colours(mode)
        change = np.asarray(transform.apply(colours)).astype(int) - colours.convert("RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return transform if np.abs(change).max() > SRGB_TOLERANCE else None


def _colours(mode: str) -> Image.Image:
    """Samples of all colours of a mode."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    steps = np.linspace(0, 255, 256 if bands == 1 else 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(*[steps] * bands), axis=-1).reshape(1, -1, bands)
    return Image.frombytes(mode, colours.shape[1::-1], colours.tobytes())


def orientation(image: Image.Image) -> Image.Transpose | None:
    """How to turn a decoded picture upright; None if it is, or has no EXIF orientation."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION))
    except Exception:
        # Damaged EXIF data fail in many ways; the pixels may still be good.
        return None


@dataclass(frozen=True)
class Decoded:
    """The pixels of a picture, and its bytes if they can be stored as they came."""

    image: Image.Image  # mode RGB, upright
    format: str  # by content, one of formats.NAMES, or RAW
    stored: formats.Stored
    pages: int = 1  # of which it is the first; reduced copies and masks do not count
    samples: Samples | None = None  # of more than 8 bits
    pixels: np.ndarray | None = None  # those of the image, where they are at hand as an array


def decoded(data: bytes, limits: Limits, whole: bool = True, quick: bool = False) -> Decoded:
    """Check and decode the bytes of a file. Raises Rejected, and nothing else.

    `whole`: whether to check the shape, too; not where a box will be cut out. `quick`: JPEGs take
    half of the time, but one thread decodes at a time; the result is the same. Several threads may
    decode at a time; what others write to file descriptor 2 meanwhile may be taken for a message
    of libtiff, see standard_error.caught.
    """
    if not data:
        raise Rejected(reasons.EMPTY)
    with _rejecting(data, limits):
        return _checked(data, limits, whole, quick)


@dataclass(frozen=True)
class Header:
    """What the header of a file says."""

    size: tuple[int, int]  # width and height of its picture
    pixels: int  # of all its pages
    format: formats.Format


def header(file: BinaryIO, head: bytes, limits: Limits) -> Header:
    """The header of a file that begins with `head`. Raises Rejected, and nothing else."""
    with _rejecting(head, limits):
        if head.startswith(formats.TIFF_STARTS):
            from trackbed.pictures import tiff  # takes 7 ms, and few pictures need it

            pages = tiff.pages(file)
            pixels = sum(width * height for width, height in (page.size for page in pages))
            return Header(tiff.full_resolution(pages)[0].size, pixels, formats.named("TIFF"))
        with Image.open(file, formats=formats.NAMES) as image:
            return Header(image.size, image.width * image.height, formats.named(image.format))


@contextmanager
def _rejecting(data: bytes, limits: Limits) -> Iterator[None]:
    """Turn every error into Rejected; data: the first bytes of the file."""
    try:
        with pillow_limits(limits.pixels):
            yield
    except Rejected as rejection:
        raise _named_kind(rejection, data) from None
    except Image.DecompressionBombError as error:
        number = re.search(r"\d+", str(error))
        raise limits.too_many(f"{int(number[0]):,}" if number else "more") from None
    except UnidentifiedImageError:
        raise _named_kind(formats.unidentified(data), data) from None
    except Exception as error:
        # On damaged data Pillow's decoders raise errors of nearly every type.
        raise _named_kind(Rejected(*_reason_and_detail(error)), data) from None


def _named_kind(rejection: Rejected, data: bytes) -> Rejected:
    """The rejection, or one that names the kind of file where it is valid but cannot be read."""
    if rejection.reason not in (reasons.DAMAGED, reasons.TRUNCATED):
        return rejection
    kind = formats.unsupported_kind(data)
    return Rejected(UNSUPPORTED, kind) if kind else rejection


class PillowSettings:
    """Pillow's limit and warnings, which are those of the whole process.

    As long as any thread decodes, the limit is the largest of theirs, and warnings are off;
    afterwards everything is as before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: list[float] = []
        self._logger = logging.getLogger("PIL.TiffImagePlugin")

    def enter(self, max_pixels: int | None) -> None:
        """Begin to decode, with a limit or without."""
        with self._lock:
            if not self._limits:
                self._before = Image.MAX_IMAGE_PIXELS, self._logger.disabled
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.simplefilter("ignore")
                self._logger.disabled = True
            self._limits.append(math.inf if max_pixels is None else max_pixels)
            Image.MAX_IMAGE_PIXELS = max(self._limits)

    def leave(self, max_pixels: int | None) -> None:
        """Undo an `enter` with the same limit."""
        with self._lock:
            self._limits.remove(math.inf if max_pixels is None else max_pixels)
            if self._limits:
                Image.MAX_IMAGE_PIXELS = max(self._limits)
            else:
                Image.MAX_IMAGE_PIXELS, self._logger.disabled = self._before
                self._warnings.__exit__(None, None, None)


PILLOW_SETTINGS = PillowSettings()


@contextmanager
def pillow_limits(max_pixels: int | None) -> Iterator[None]:
    """Pillow with this limit, or none, in place of its own, and without its warnings."""
    PILLOW_SETTINGS.enter(max_pixels)
    try:
        yield
    finally:
        PILLOW_SETTINGS.leave(max_pixels)


def _checked(data: bytes, limits: Limits, whole: bool, quick: bool) -> Decoded:
    if data.startswith(formats.TIFF_STARTS):
        return _checked_tiff(data, limits, whole)
    image = _opened(data)
    limits.refuse_large(*image.size)
    if whole:
        limits.refuse_shape(*image.size)
    if type(image).verify is not ImageFile.ImageFile.verify:
        # It sees what load() does not, such as wrong checksums, and uses the picture up.
        image.verify()
        image = _opened(data)
    format = formats.named(image.format)
    stored = format.as_it_came(image, data)
    if quick and (found := _plain_jpeg(image, stored)):
        return found
    samples = None if stored else format.samples(partial(_opened, data), data)
    with image:
        image.load()
        turn, frames = orientation(image), 1 if stored else _frames(image)
        found = image if samples is None else _of_samples(samples, image.info, limits)
        return _upright(Decoded(found, format.name, stored, frames, samples), turn)


def _plain_jpeg(image: Image.Image, stored: formats.Stored) -> Decoded | None:
    """A JPEG that is stored as it came, because nothing changes its pixels; None for another."""
    if not stored or stored[0] != "jpeg" or image.mode not in ("RGB", "L"):
        return None
    if orientation(image) is not None or conversion(image)[1] is not None:
        return None
    pixels = plain_jpeg.pixels(stored[1], *image.size)
    if pixels is None:
        return None
    return Decoded(Image.fromarray(pixels), "JPEG", stored, pixels=pixels)


def _checked_tiff(data: bytes, limits: Limits, whole: bool) -> Decoded:
    """The page of full resolution of a TIFF file."""
    from trackbed.pictures import tiff

    pages = tiff.pages(io.BytesIO(data))
    page, count = tiff.full_resolution(pages)
    limits.refuse_large(*page.size)
    if whole:
        limits.refuse_shape(*page.size)
    tiff.refuse_unsupported(page)
    opened, turn = partial(_opened, tiff.with_first_page(data, page)), None
    with formats.libtiff_errors():
        if tiff.is_uncompressed_and_deep(page):
            samples, turn = tiff.samples(data, page), TURNS.get(page.number(ORIENTATION))
        else:  # Pillow turns a TIFF while it loads it
            samples = tiff.pillow_samples(opened, page)
        if samples is None:
            found = deep_pixels.loaded_with_unused_alpha(opened)
        else:
            found = _of_samples(samples, {"icc_profile": page.tags.get(tiff.PROFILE)}, limits)
    return _upright(Decoded(found, "TIFF", None, count, samples), turn)


def _frames(image: Image.Image) -> int:
    """The frames of an animation; 1 for other pictures, and for an MPO, see docs/sources.md."""
    try:
        return 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    except Exception:
        # One behind the first is damaged, which is not used.
        return 1


def _of_samples(samples: Samples, info: dict[Any, Any], limits: Limits) -> Image.Image:
    """The picture in 8 bits, with the profile of its file."""
    image = deep_pixels.as_8_bit(samples, limits.white_level)
    image.info["icc_profile"] = info.get("icc_profile")
    return image


def _upright(found: Decoded, turn: Image.Transpose | None) -> Decoded:
    """The picture in mode RGB and turned, stored as it came only where nothing changed it."""
    image = found.image
    plain = image.mode in ("RGB", "L") and "transparency" not in image.info
    stored = found.stored if plain and turn is None and not conversion(image)[1] else None
    upright = as_rgb(image) if turn is None else as_rgb(image).transpose(turn)
    return replace(found, image=upright, stored=stored)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=formats.NAMES)


def _reason_and_detail(error: Exception) -> tuple[str, str]:
    text = (str(error).splitlines() or [""])[0]
    text = file_names.printable(re.sub(r" at 0x[0-9a-f]+", "", text)) or type(error).__name__
    if formats.NOT_SUPPORTED.search(text):
        return UNSUPPORTED, text
    return (reasons.TRUNCATED if "truncated" in text.lower() else reasons.DAMAGED), text
