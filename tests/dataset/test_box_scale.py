from trackbed.dataset import box_scale
from trackbed.pictures import crop_boxes


def fits(count, size=None, factor=1.0, box=(2, 2, 20, 20)):
    """Boxes in pictures of 100 x 80 pixels and more."""
    return [
        crop_boxes.box_fit(
            box,
            size and (round((100 + n) * factor), round((80 + n) * factor)),
            (100 + n, 80 + n),
            "stretch",
        )
        for n in range(count)
    ]


def test_one_factor_of_all_boxes_is_reported_once():
    half = fits(20, True, 2.0)
    assert box_scale.box_sentence(half, 0).startswith(
        "all 20 boxes count in pictures of another size: scaled by 0.5"
    )
    assert not box_scale.scaled_alone(half)
    for mixed in (half + fits(1, True), half + fits(1, True, 3.0), half + fits(1)):
        assert box_scale.scaled_alone(mixed)
        assert "scaled by" not in box_scale.box_sentence(mixed, 0)
    assert box_scale.box_sentence(fits(20, True), 0) == ""


def test_boxes_in_one_corner_or_outside_are_reported():
    assert "25% of their pictures" in box_scale.box_sentence(fits(20), 0)
    assert box_scale.box_sentence([*fits(20), *fits(1, box=(0, 0, 90, 20))], 0) == ""
    assert box_scale.box_sentence(fits(20, True), 0) == ""  # in pictures of their own size
    assert box_scale.box_sentence(fits(9), 0) == ""
    many = box_scale.box_sentence(fits(100, box=(0, 0, 90, 70)), 12)
    assert many.startswith("12 of 112 boxes reach out of their pictures")
    assert box_scale.box_sentence(fits(1000, box=(0, 0, 90, 70)), 12) == ""
