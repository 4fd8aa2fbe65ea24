"""What the crop boxes of a source say of the pictures that they count in."""

from collections.abc import Sequence

from trackbed.pictures.crop_boxes import BoxFit

FEW_BOXES = 10
LARGE_SHARE = 0.05  # of all boxes
CORNER = 0.6  # share of both sides of a picture


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
