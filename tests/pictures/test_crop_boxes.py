import pytest

from trackbed.pictures import crop_boxes
from trackbed.pictures.rejections import Rejected

SIZE = (53, 37)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((53, 37), (10, 4, 30, 24)),  # the picture's own
        ((106, 74), (5, 2, 15, 12)),
        ((107, 74), (5, 2, 15, 12)),  # 53.5 rounded to 53
        ((530, 370), (1, 0, 3, 2)),
    ],
)
def test_a_box_in_a_larger_picture_of_the_same_shape_is_scaled(size, box):
    fit = crop_boxes.box_fit((10, 4, 30, 24), size, SIZE, "check")
    assert fit.box == box
    assert bool(fit.detail) == (size != SIZE)


def test_a_box_of_another_shape_is_refused_or_stretched():
    given = (10, 4, 30, 24), (40, 37)
    words = "counts in 40 x 37 pixels, the picture has 53 x 37, another shape"
    with pytest.raises(Rejected, match=f"box of another size: {words}"):
        crop_boxes.box_fit(*given, SIZE, "check")
    stretched = crop_boxes.box_fit(*given, SIZE, "stretch")
    assert stretched.box == (13, 4, 40, 24)  # by 53 / 40 across
    assert crop_boxes.box_fit(*given, SIZE, "ignore") is None
    turned = (0, 0, 5, 5), (37, 53)  # of the picture before it is turned upright
    with pytest.raises(Rejected, match=r"counts in 37 x 53.*another shape, on its side"):
        crop_boxes.box_fit(*turned, SIZE, "check")
    with pytest.raises(Rejected, match="on its side"):  # not scaled by 29 / 30 and 30 / 29
        crop_boxes.box_fit((0, 0, 5, 5), (29, 30), (30, 29), "check")


def test_a_tiny_box_keeps_a_pixel_inside():
    for corner in ((999, 999, 1000, 1000), (0, 0, 1, 1)):
        left, top, right, bottom = crop_boxes.box_fit(corner, (1000, 1000), (10, 10), "check").box
        assert 0 <= left < right <= 10
        assert 0 <= top < bottom <= 10
