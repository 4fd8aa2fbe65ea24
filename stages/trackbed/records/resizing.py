"""Stored pictures as the pixels that a network sees: decoded, reduced and resized."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

Stored = tuple[str, bytes] | None
"""Encoding, 'jpeg' or 'png', and bytes of a picture that can be stored as it came."""

# A JPEG can be decoded at 1 / scale of its sides, which leaves out what a smaller picture
# cannot show.
JPEG_SCALES = (8, 4, 2, 1)
STARTS = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PN"}


def jpeg_reduction(stored: Sequence[int], wanted: Sequence[int]) -> int:
    """The largest scale at which a JPEG of the stored size is no smaller than wanted.

    The choice of Pillow's `Image.draft`.
    """
    times = min(stored[0] // wanted[0], stored[1] // wanted[1])
    return max((one for one in JPEG_SCALES if one <= times), default=1)


def decoded(data: bytes, encoding: str, height: int, width: int, scale: int = 1) -> np.ndarray:
    """The RGB picture that was stored as 'raw' pixels, 'jpeg' or 'png': uint8, (height, width, 3).

    A JPEG is decoded at 1 / scale of its sides, rounded up.
    Raises ValueError if the data are no such picture of that height and width.
    """
    import cv2  # 17 MB, which predicting small pictures does without

    coded = np.frombuffer(data, np.uint8)
    if encoding == "raw":
        return coded.reshape(height, width, 3)
    if not bytes(data[:3]).startswith(STARTS[encoding]):  # OpenCV would open other formats, too
        raise ValueError(f"expected a file of format {encoding}")
    # As Pillow does: RGB, pixels as they lie in the file.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    if scale > 1:  # these flags go with colour as well
        flags |= getattr(cv2, f"IMREAD_REDUCED_GRAYSCALE_{scale}")
    image = cv2.imdecode(coded, flags)
    expected = (-(-height // scale), -(-width // scale), 3)
    if image is None or image.shape != expected:
        found = "nothing" if image is None else image.shape
        raise ValueError(f"expected a picture of shape {expected}. Received {found}")
    return image


def no_smaller(
    data: bytes, encoding: str, stored: tuple[int, int], wanted: tuple[int, int]
) -> np.ndarray:
    """A stored picture, of which a JPEG is reduced as far as it is no smaller than wanted.

    stored, wanted: height and width. uint8, RGB. Raises ValueError as `decoded` does.
    """
    scale = jpeg_reduction(stored, wanted) if encoding == "jpeg" else 1
    return decoded(data, encoding, *stored, scale)


def resize(image: np.ndarray | Image.Image, target: np.ndarray) -> None:
    """Stretch a picture into a uint8 array of any shape: bilinear, antialiased where it shrinks.

    image: uint8, or a picture of Pillow in mode RGB.
    """
    height, width = target.shape[:2]
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    if picture.height > height or picture.width > width:
        target[:] = picture.resize((width, height), Image.Resampling.BILINEAR)
    else:
        import cv2

        # Pillow's answer too, within one grey level; several times quicker.
        pixels = np.asarray(image)
        cv2.resize(pixels, (width, height), dst=target, interpolation=cv2.INTER_LINEAR)
