"""How bright, how rich in contrast and how sharp a picture is."""

from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

DIGITS = 3  # of what is kept: far below any difference that matters


class Quality(NamedTuple):
    """Measures of the grey values (luma, ITU-R BT.601, 0..255) of a picture."""

    brightness: float  # their mean
    contrast: float  # their standard deviation, 0..127.5
    sharpness: float  # variance of their Laplacian; 0 without any edge


def quality(grey: Image.Image) -> Quality:
    """The measures of a picture in mode L, rounded to DIGITS.

    Sharpness is the variance of the 3 x 3 Laplacian (Pech-Pacheco et al. 2000, Diatom
    Autofocusing in Brightfield Microscopy): low where a picture is out of focus, but as well where
    it is smooth, so it tells most among pictures of one kind and one scale.
    """
    pixels = np.asarray(grey)
    # Whole numbers, summed up in double precision: exact, whatever the processor.
    (brightness, contrast), (_, edges) = (
        np.ravel(cv2.meanStdDev(values)) for values in (pixels, cv2.Laplacian(pixels, cv2.CV_16S))
    )
    return Quality(*(round(float(v), DIGITS) for v in (brightness, contrast, edges**2)))
