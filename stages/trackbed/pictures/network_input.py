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

    as_it_came: what the build stores in place of the pixels of the image, if anything. A large JPEG
    among these is decoded anew at a fraction of its size; at its full size OpenCV and Pillow
    decode to the same pixels. Raises Rejected where OpenCV cannot decode it.
    """
    target = np.empty((side, side, 3), np.uint8)
    reduced = None if as_it_came is None else _reduced(image, *as_it_came, side)
    resizing.resize(image if reduced is None else reduced, target)
    return target


def _reduced(image: Image.Image, encoding: str, data: bytes, side: int) -> np.ndarray | None:
    """The pixels at a fraction of their size; None where the full size is needed, or for a PNG."""
    size, wanted = (image.height, image.width), (side, side)
    if encoding != "jpeg" or resizing.jpeg_reduction(size, wanted) == 1:
        return None
    try:
        with standard_error.printed():  # OpenCV prints warnings
            return resizing.no_smaller(data, encoding, size, wanted)
    except ValueError as error:
        raise Rejected(DAMAGED, str(error)) from None
