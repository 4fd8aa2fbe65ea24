"""Where a crop box lies in its picture."""

from dataclasses import dataclass

from PIL import Image

from trackbed.pictures.rejections import BOX_OF_OTHER_SIZE, BOX_OUTSIDE, Boxes, Rejected

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first column and row outside."""
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class BoxFit:
    """How a box lies in its picture."""

    box: Box  # in pixels of the picture
    reach: float  # the larger share of the picture's sides that its right and bottom are at
    # By what its size may have been scaled, at least and at most, for all that rounding leaves
    # open; None where none is named.
    factors: tuple[float, float] | None = None
    detail: str = ""  # both sizes where they differ


def box_fit(given: Box | None, counted_in: Size | None, size: Size, boxes: Boxes) -> BoxFit | None:
    """Where a box lies in a picture of a width and height; None without a box.

    counted_in: the size of the picture that the box was measured in, if it is known. A box of a
    picture of another size is scaled with it if the shape is the same, or if any is to be
    stretched. Raises Rejected otherwise, and for a box outside.
    """
    if given is None or boxes == "ignore":
        return None
    box, factors, detail = given, None, ""
    if counted_in is not None:
        factors = _factors(counted_in, size)
    if counted_in is not None and counted_in != size:
        detail = f"counts in {_times(counted_in)} pixels, the picture has {_times(size)}"
        turned = ", on its side" if counted_in == size[::-1] else ""
        if boxes == "check" and (turned or factors[0] > factors[1]):
            raise Rejected(BOX_OF_OTHER_SIZE, f"{detail}, another shape{turned}")
        box = _scaled(box, counted_in, size)
    if box[2] > size[0] or box[3] > size[1]:
        raise Rejected(BOX_OUTSIDE, f"box {','.join(map(str, given))} of {_times(size)} pixels")
    return BoxFit(box, max(box[2] / size[0], box[3] / size[1]), factors, detail)


def _times(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _factors(before: Size, after: Size) -> tuple[float, float]:
    """By what both sides may have been scaled: sides are rounded, up or down."""
    pairs = list(zip(before, after, strict=True))
    return max((b - 1) / a for a, b in pairs), min((b + 1) / a for a, b in pairs)


def _scaled(box: Box, before: Size, after: Size) -> Box:
    """A box in a picture of another size, of one pixel at least."""
    left, top, right, bottom = (
        round(value * after[side % 2] / before[side % 2]) for side, value in enumerate(box)
    )
    left, top = min(left, after[0] - 1), min(top, after[1] - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def cropped(image: Image.Image, box: Box, margin: float) -> Image.Image:
    """What lies in a box, and a share of its sides beside it as far as the picture reaches."""
    left, top, right, bottom = box
    beside, above = round(margin * (right - left)), round(margin * (bottom - top))
    wider = (
        max(0, left - beside),
        max(0, top - above),
        min(image.width, right + beside),
        min(image.height, bottom + above),
    )
    return image.crop(wider)
