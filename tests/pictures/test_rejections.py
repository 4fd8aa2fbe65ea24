import math
from dataclasses import replace

import evil
import pytest
from PIL import Image
from recorded import raw_entry

from trackbed.dataset import images
from trackbed.dataset.schema import Entry
from trackbed.pictures.rejections import Limits, Rejected

LIMITS = Limits(pixels=10_000, min_side=8, aspect=20)


@pytest.fixture
def reason(tmp_path):
    """Why a picture of this size is rejected, None if it is not."""

    def reason(size, format="PNG", limits=LIMITS, content=None, **entry):
        path = tmp_path / "picture"
        path.write_bytes(content or evil.saved(Image.new("RGB", size, "red"), format))
        try:
            images.load(replace(Entry("picture", "A", "", "", path), **entry), limits)
        except Rejected as no:
            return no.reason, no.detail
        return None

    return reason


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((8, 8), None),
        ((8, 160), None),
        ((160, 8), None),
        ((100, 100), None),
        ((7, 8), ("too small", "7 x 8, data.min_side is 8")),
        ((1, 1), ("too small", "1 x 1, data.min_side is 8")),
        ((8, 161), ("too narrow", "8 x 161 is 20.1 to 1, data.max_aspect is 20")),
        ((161, 8), ("too narrow", "161 x 8 is 20.1 to 1, data.max_aspect is 20")),
        ((101, 100), ("too many pixels", "101 x 100, data.max_pixels is 10,000")),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "TIFF"])
def test_the_limits_are_inclusive(reason, size, expected, format):
    assert reason(size, format) == expected


def test_without_limits_a_single_pixel_will_do(reason):
    assert Limits(1) == Limits(pixels=1, min_side=1, aspect=math.inf)
    assert reason((1, 1), limits=Limits(1)) is None


def test_the_header_alone_decides(reason):
    """What lies behind it are no pixels, and nothing tried to decode them."""
    narrow = evil.saved(Image.new("RGB", (400, 10)), "PNG")
    header, *_ = evil.chunks(narrow)
    assert reason(None, content=evil.png_of([header, (b"IDAT", b"no pixels")]))[0] == "too narrow"


def test_pixels_of_a_record_are_measured_too(reason, tmp_path):
    def raw(height, width):
        entry = raw_entry(tmp_path / "raw", bytes(height * width), height, width, 1)
        return reason(None, content=b"x", path=entry.path, raw=entry.raw)

    assert raw(8, 8) is None
    assert raw(7, 8) == ("too small", "8 x 7, data.min_side is 8")
    assert raw(8, 161)[0] == "too narrow"


def test_the_limits_of_shape_are_for_the_crop(reason):
    assert reason((200, 8), box=(0, 0, 100, 8)) is None
    assert reason((50, 50), box=(0, 0, 7, 50)) == ("too small", "7 x 50, data.min_side is 8")
    assert reason((200, 50), box=(0, 0, 200, 9))[0] == "too narrow"
    assert reason((200, 51), box=(0, 0, 20, 20))[0] == "too many pixels"
