"""Pictures of any kind as 8-bit RGB."""

import numpy as np
from PIL import Image

from trackbed.ingest.entries import UNSUPPORTED, Rejected

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
    """The picture in mode RGB, by the rules in trackbed.ingest.images; not turned.

    Raises Rejected for grey values of which Pillow does not tell the range.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F":
        raise Rejected(UNSUPPORTED, "32-bit floating-point pixels")
    if image.mode.startswith("I"):
        if getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO:
            raise Rejected(UNSUPPORTED, "16-bit TIFF whose 0 is white, which Pillow overlooks")
        return _of_16_bits(image).convert("RGB")
    if _is_transparent(image):
        straight = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), straight).convert("RGB")
    return image.convert("RGB")


def turn(image: Image.Image) -> Image.Transpose | None:
    """How a decoded picture must be turned to be upright, None where it is or nothing is said."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION))
    except Exception:
        # Damaged EXIF data fail in many ways, and say nothing about the pixels.
        return None


def _of_16_bits(image: Image.Image) -> Image.Image:
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
