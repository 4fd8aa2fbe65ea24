"""What a network sees of a picture: the pixels of the record that the build makes of it."""

import numpy as np
from PIL import Image

from trackbed.pictures import decoding, standard_error
from trackbed.pictures.rejections import DAMAGED, Limits, Rejected
from trackbed.records import resizing
from trackbed.records.resizing import Stored


def of_bytes(data: bytes, limits: Limits, side: int) -> np.ndarray:
    """The pixels of a file: uint8, (side, side, 3), RGB. Raises Rejected, and nothing else."""
    found = decoding.decoded(data, limits)
    return of_decoded(found.image, found.stored, side)


def of_decoded(image: Image.Image, as_it_came: Stored, side: int) -> np.ndarray:
    """The pixels of a picture that was decoded: uint8, (side, side, 3), RGB.

    as_it_came: what the build stores in place of the pixels of the image, if anything. Of a JPEG
    it decides, because it may be decoded at a fraction of its size. Raises Rejected where OpenCV
    cannot decode it.
    """
    pixels = None if as_it_came is None else _stored_jpeg(image, *as_it_came, side)
    target = np.empty((side, side, 3), np.uint8)
    resizing.resize(np.asarray(image) if pixels is None else pixels, target)
    return target


def _stored_jpeg(image: Image.Image, encoding: str, data: bytes, side: int) -> np.ndarray | None:
    """The decoded JPEG, perhaps at a fraction of its size; None for a PNG, which loses nothing."""
    if encoding != "jpeg":
        return None
    try:
        with standard_error.printed():  # OpenCV prints warnings
            return resizing.no_smaller(data, encoding, (image.height, image.width), (side, side))
    except ValueError as error:
        raise Rejected(DAMAGED, str(error)) from None
