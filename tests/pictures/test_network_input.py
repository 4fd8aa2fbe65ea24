import evil
import numpy as np
import pytest

from trackbed.pictures import network_input
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.records import resizing

LIMIT = Limits(10_000_000)
WHOLE = evil.files()


def record_pixels(picture, side):
    """As the reader of records makes them."""
    target = np.empty((side, side, 3), np.uint8)
    size = picture.height, picture.width
    resizing.resize(
        resizing.no_smaller(picture.data, picture.encoding, size, target.shape[:2]), target
    )
    return target


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("side", [8, 16, 37, 64])
def test_pixels_are_those_of_the_record(load, name, side):
    found = network_input.of_bytes(WHOLE[name], LIMIT, side)
    assert (found.shape, found.dtype) == ((side, side, 3), np.uint8)
    np.testing.assert_array_equal(found, record_pixels(load(WHOLE[name]), side))


@pytest.mark.parametrize("side", [16, 37])  # decoded at a half, and at full size
@pytest.mark.parametrize("name", [name for name in WHOLE if name.startswith("jpeg")])
def test_jpegs_with_flaws_give_the_pixels_of_the_record(load, name, side):
    compared = 0
    for content in evil.mutations(WHOLE[name], 25, seed=3):
        try:
            expected = record_pixels(load(content), side)
        except Rejected as rejection:
            with pytest.raises(Rejected, match=rejection.reason):
                network_input.of_bytes(content, LIMIT, side)
            continue
        np.testing.assert_array_equal(network_input.of_bytes(content, LIMIT, side), expected)
        compared += 1
    assert compared


def test_libpng_prints_nothing_of_a_broken_colour_profile(load, capfd):
    header, *others = evil.chunks(WHOLE["png"])
    profile = (b"iCCP", b"x\0\0" + evil.zlib.compress(b"no profile"))
    content = evil.png_of([header, profile, *others])
    found = network_input.of_bytes(content, LIMIT, 16)
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(found, record_pixels(load(content), 16))
    assert "libpng" in capfd.readouterr().err  # of the reader: what could not be caught
