"""Pictures as the records hold them."""

import io

from PIL import Image


def image(data: bytes, encoding: str, height: int, width: int) -> Image.Image:
    """The RGB picture that was stored as 'raw' pixels, 'jpeg' or 'png'.

    Raises ValueError or OSError if the data are no such picture of that height and width.
    """
    if encoding == "raw":
        return Image.frombytes("RGB", (width, height), data)
    # Only what the records may hold: the bytes need not be what the index says.
    with Image.open(io.BytesIO(data), formats=[encoding]) as opened:
        if opened.size != (width, height):
            raise ValueError(f"expected {width} x {height} pixels. Received {opened.size}")
        return opened.convert("RGB")
