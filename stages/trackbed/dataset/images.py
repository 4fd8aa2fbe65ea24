"""Check and decode pictures of a source, and measure them."""

import base64
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from trackbed.dataset import source_pictures
from trackbed.dataset.schema import Entry, Picture
from trackbed.dataset.similarity import THUMBNAIL_CHARACTERS, THUMBNAIL_SIDE
from trackbed.pictures.crop_boxes import Box
from trackbed.pictures.rejections import Limits, Rejected

# Small files may hold large pictures.
CHUNK_RESULT_BYTES = 2**23
QUALITY_DIGITS = 3  # of what is kept: far below any difference that matters


@dataclass(frozen=True)
class ChunkCheck:
    """Checks a chunk of entries, in any process."""

    limits: Limits
    crop_margin: float

    def __call__(self, chunk: list[Entry]) -> list[Picture | Rejected]:
        """A picture or rejection per entry, or for the first ones alone if they fill memory."""
        outcomes: list[Picture | Rejected] = []
        result_bytes = 0
        for entry in chunk:
            try:
                picture = load(entry, self.limits, self.crop_margin)
            except Rejected as rejection:
                outcomes.append(rejection)
                continue
            outcomes.append(picture)
            result_bytes += len(picture.data)
            if result_bytes >= CHUNK_RESULT_BYTES:
                break
        return outcomes


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
    """Check, decode and measure a picture, upright and cropped to its box.

    Arguments and errors: see source_pictures.checked.
    """
    found = source_pictures.checked(entry, limits, crop_margin, quick=True)
    image, source = found.image, found.source
    pixels = image.tobytes() if source.pixels is None or found.box else source.pixels
    grey = image.convert("L")
    encoding, stored = found.as_it_came or ("raw", pixels)
    return Picture(
        data=stored,
        encoding=encoding,
        format=source.format,
        height=image.height,
        width=image.width,
        sha256=_digest(found.content, found.box and found.box.box),
        perceptual_hash=difference_hash(grey),
        pixel_hash=_pixel_hash(image.size, pixels),
        thumbnail=encoded_thumbnail(grey),
        **quality(grey)._asdict(),
        pages=source.pages,
        peak=source.samples.peak if source.samples else 0,
        box=found.box,
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


def _pixel_hash(size: tuple[int, int], pixels: bytes | np.ndarray) -> str:
    digest = hashlib.blake2b(f"{size}".encode(), digest_size=16)
    digest.update(pixels)
    return digest.hexdigest()


def _digest(data: bytes, box: Box | None) -> str:
    digest = hashlib.sha256(data)
    if box is not None:
        digest.update(f"{box}".encode())
    return digest.hexdigest()
