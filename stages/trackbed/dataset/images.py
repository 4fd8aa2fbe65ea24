"""Check and decode one picture of a source, size first, and measure its quality."""

import base64
import hashlib
import io
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from trackbed.dataset import decoding
from trackbed.dataset import schema as reasons
from trackbed.dataset.decoding import Decoded, decoded
from trackbed.dataset.schema import (
    TOO_LONG,
    Box,
    Boxes,
    BoxFit,
    Entry,
    Limits,
    Picture,
    RawPixels,
    Rejected,
)
from trackbed.dataset.similarity import THUMBNAIL_CHARACTERS, THUMBNAIL_SIDE
from trackbed.records import tfrecord
from trackbed.records.integrity import IMAGE

# What a file may hold beside its pixels, in bytes: metadata, thumbnails, a video of some seconds.
METADATA_BYTES = 2**26
HEADER_BYTES = 2**12


class LimitedFile(io.FileIO):
    """A file that refuses to be read beyond METADATA_BYTES."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = METADATA_BYTES

    def read(self, size: int = -1) -> bytes:
        """Like read of any file. Raises Rejected beyond the limit."""
        data = super().read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise Rejected(TOO_LONG, f"more than {METADATA_BYTES:,} bytes before any pixel")
        return data


def refuse_too_long(path: Path, length: int, limits: Limits) -> None:
    """Raise Rejected for a file that is far longer than the size in its header explains."""
    if length <= METADATA_BYTES:
        return
    with LimitedFile(path) as file:
        head = file.read(HEADER_BYTES)
        file.seek(0)
        header = decoding.header(file, head, limits)
    limits.refuse_large(*header.size)
    if length > METADATA_BYTES + header.format.bytes_per_pixel * header.pixels:
        width, height = header.size
        raise Rejected(TOO_LONG, f"{length:,} bytes for {width:,} x {height:,} pixels")


FEW_BOXES = 10
LARGE_SHARE = 0.05  # of all boxes
CORNER = 0.6  # share of both sides of a picture

QUALITY_DIGITS = 3  # of what is kept: far below any difference that matters


class Quality(NamedTuple):
    """Measures of the grey values (luma, ITU-R BT.601, 0..255) of a picture."""

    brightness: float  # their mean
    contrast: float  # their standard deviation, 0..127.5
    sharpness: float  # variance of their Laplacian; 0 without any edge


def quality(grey: Image.Image) -> Quality:
    """The measures of a picture in mode L, rounded to QUALITY_DIGITS.

    Sharpness is the variance of the 3 x 3 Laplacian (Pech-Pacheco et al. 2000, Diatom
    Autofocusing in Brightfield Microscopy): low where a picture is out of focus, but as well where
    it is smooth, so it is best compared among pictures of one kind and one scale.
    """
    pixels = np.asarray(grey)
    # Whole numbers, summed up in double precision: exact, whatever the processor.
    (brightness, contrast), (_, edges) = (
        np.ravel(cv2.meanStdDev(values)) for values in (pixels, cv2.Laplacian(pixels, cv2.CV_16S))
    )
    return Quality(*(round(float(v), QUALITY_DIGITS) for v in (brightness, contrast, edges**2)))


def load(entry: Entry, limits: Limits, crop_margin: float = 0.0) -> Picture:
    """Check and decode a picture, upright and cropped to its box.

    The box counts in the upright picture; `crop_margin` adds this share of its sides to every
    side, as far as the picture reaches. `limits.pixels` is for the whole picture, the other
    limits are for what is kept of it. Raises Rejected, and nothing else, for a file that
    cannot be used. Pillow's warnings are off meanwhile, in this process: not thread-safe.
    """
    data = _read(entry, limits)
    if entry.raw is not None:
        source = Decoded(_image_of_raw_pixels(data, entry.raw), "RAW", None)
    else:
        source = decoded(data, limits, whole=entry.box is None or limits.boxes == "ignore")
    image, as_it_came = source.image, source.stored
    fit = box_fit(entry, image.size, limits.boxes)
    if fit is not None:
        image, as_it_came = image.crop(_with_margin(image, fit.box, crop_margin)), None
        limits.refuse_shape(*image.size)
    pixels, grey = image.tobytes(), image.convert("L")
    encoding, stored = as_it_came or ("raw", pixels)
    return Picture(
        data=stored,
        encoding=encoding,
        format=source.format,
        height=image.height,
        width=image.width,
        sha256=_digest(data, fit and fit.box),
        perceptual_hash=difference_hash(grey),
        pixel_hash=_pixel_hash(image.size, pixels),
        thumbnail=encoded_thumbnail(grey),
        **quality(grey)._asdict(),
        pages=source.pages,
        peak=source.samples.peak if source.samples else 0,
        box=fit,
    )


def difference_hash(grey: Image.Image) -> str:
    """A 64-bit hash that resembles that of similar pictures: 16 hexadecimal digits.

    grey: mode L. Bit by bit and row by row: is a pixel of the 9 x 8 picture darker than its right
    neighbour? (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.)
    """
    small = grey.resize((9, 8), Image.Resampling.BOX)
    values = np.frombuffer(small.tobytes(), np.uint8).reshape(8, 9)
    return np.packbits(values[:, :-1] < values[:, 1:]).tobytes().hex()


REDUCED_SIDE = 4 * THUMBNAIL_SIDE  # what is left at least by the fast reduction of large pictures


def encoded_thumbnail(grey: Image.Image) -> str:
    """A picture of 12 x 12 grey values, stretched to 0..255, as 192 characters of base64.

    grey: mode L. Row by row, whatever the shape of the picture; all 0 for a uniform one. The
    average of many pixels is finer than a grey level, so that dark pictures keep their detail.
    """
    factor = max(1, min(grey.size) // REDUCED_SIDE)
    box = (0, 0, grey.width / factor, grey.height / factor)
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    reduced = grey.reduce(factor).convert("F")
    values = np.asarray(reduced.resize(side, Image.Resampling.BILINEAR, box), np.float64)
    values = values - values.min()
    stretched = np.rint(values * (255 / max(values.max(), 1e-3))).astype(np.uint8)
    return base64.b64encode(stretched.tobytes(), THUMBNAIL_CHARACTERS).decode()


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
        refuse_too_long(entry.path, status.st_size, limits)
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
        record = file.read(raw.record_length)
    if len(record) < raw.record_length:
        raise Rejected(reasons.TRUNCATED, f"{len(record):,} of {raw.record_length:,} bytes")
    try:
        return tfrecord.parse_example(tfrecord.unframe(record))[IMAGE]
    except (ValueError, KeyError) as error:
        raise Rejected(reasons.DAMAGED, str(error)) from None


def _image_of_raw_pixels(data: bytes, raw: RawPixels) -> Image.Image:
    mode = "L" if raw.depth == 1 else "RGB"
    return Image.frombytes(mode, (raw.width, raw.height), data).convert("RGB")


def box_fit(entry: Entry, size: tuple[int, int], boxes: Boxes) -> BoxFit | None:
    """Where the box of an entry lies in a picture of this width and height; None without a box.

    A box that counts in a picture of another size is scaled with it if the shape is the same, or
    if any is to be stretched. Raises Rejected otherwise, and for a box outside.
    """
    if entry.box is None or boxes == "ignore":
        return None
    box, factors, detail = entry.box, None, ""
    if entry.size is not None:
        factors = _factors(entry.size, size)
    if entry.size is not None and entry.size != size:
        detail = f"counts in {_times(entry.size)} pixels, the picture has {_times(size)}"
        turned = ", on its side" if entry.size == size[::-1] else ""
        if boxes == "check" and (turned or factors[0] > factors[1]):
            raise Rejected(reasons.BOX_OF_OTHER_SIZE, f"{detail}, another shape{turned}")
        box = _scaled(box, entry.size, size)
    if box[2] > size[0] or box[3] > size[1]:
        raise Rejected(
            reasons.BOX_OUTSIDE, f"box {','.join(map(str, entry.box))} of {_times(size)} pixels"
        )
    return BoxFit(box, max(box[2] / size[0], box[3] / size[1]), factors, detail)


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _factors(before: tuple[int, int], after: tuple[int, int]) -> tuple[float, float]:
    """By what both sides may have been scaled: sides are rounded, up or down."""
    pairs = list(zip(before, after, strict=True))
    return max((b - 1) / a for a, b in pairs), min((b + 1) / a for a, b in pairs)


def _scaled(box: Box, before: tuple[int, int], after: tuple[int, int]) -> Box:
    """A box in a picture of another size, of one pixel at least."""
    left, top, right, bottom = (
        round(value * after[side % 2] / before[side % 2]) for side, value in enumerate(box)
    )
    left, top = min(left, after[0] - 1), min(top, after[1] - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def box_sentence(fits: Sequence[BoxFit], outside: int) -> str:
    """What boxes say of the pictures that they count in, '' for nothing unusual.

    fits: of the pictures that were accepted; outside: how many boxes reach out of their picture.
    """
    if outside >= max(FEW_BOXES, LARGE_SHARE * (len(fits) + outside)):
        return (
            f"{outside:,} of {len(fits) + outside:,} boxes reach out of their pictures: all may "
            "count in pictures of another size, so look at the others; columns width and height "
            "of the manifest name it"
        )
    if len(fits) < FEW_BOXES:
        return ""
    if common := _common_factor(fits):
        return f"all {len(fits):,} boxes count in pictures of another size: scaled by {common:.4g}"
    reach = sorted(fit.reach for fit in fits if fit.factors is None)
    if len(reach) >= FEW_BOXES and reach[-1] <= CORNER:
        return (
            f"all {len(reach):,} boxes lie within {reach[-1]:.0%} of their pictures from the upper "
            "left corner: they may count in smaller pictures; columns width and height of the "
            "manifest name the size"
        )
    return ""


def _common_factor(fits: Sequence[BoxFit]) -> float | None:
    """By what all boxes were scaled; None where one was not, or by another factor."""
    if not all(fit.detail and fit.factors for fit in fits):
        return None
    least, most = (
        limit(values)
        for limit, values in zip(
            (max, min), zip(*(fit.factors for fit in fits), strict=True), strict=True
        )
    )
    return (least + most) / 2 if least <= most else None


def scaled_alone(fits: Sequence[BoxFit]) -> bool:
    """Whether boxes were scaled that are to be listed one by one: not all by one factor."""
    return len(fits) < FEW_BOXES or _common_factor(fits) is None


def _with_margin(image: Image.Image, box: Box, margin: float) -> Box:
    left, top, right, bottom = box
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
