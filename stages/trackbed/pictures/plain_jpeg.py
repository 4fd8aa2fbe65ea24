"""The pixels of a JPEG without any flaw, in half of Pillow's time."""

import numpy as np

from trackbed.pictures import standard_error
from trackbed.records import resizing


def pixels(data: bytes, width: int, height: int) -> np.ndarray | None:
    """The pixels of a JPEG of a known size: uint8, shape (height, width, 3), RGB.

    None where libjpeg has to say anything about the data: Pillow then decides what they are worth.
    Where it has not, OpenCV's libjpeg and Pillow's give the same pixels.
    """
    import cv2

    with standard_error.caught() as messages:
        try:
            found = resizing.decoded(data, "jpeg", height, width)
        except (ValueError, cv2.error):  # of a size that OpenCV refuses
            return None
    return None if messages.first else found
