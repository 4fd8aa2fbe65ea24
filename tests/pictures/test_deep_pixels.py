"""Pictures of more than 8 bits, written by OpenCV, and Netpbm files by hand."""

import re

import cv2
import evil
import numpy as np
import pytest
from recorded import pixels_of

from trackbed.pictures import deep_pixels
from trackbed.pictures.rejections import Limits

RAMP = np.linspace(0, 1, 40)[None].repeat(5, axis=0)


def ramp(white, channels):
    return np.round(RAMP * white).astype(np.uint16)[..., None].repeat(channels, axis=2)


def written(extension, values, *options):
    """A file by OpenCV; values: grey, BGR or BGRA."""
    return cv2.imencode(extension, values, options)[1].tobytes()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("extension", [".png", ".tiff", ".pgm", ".ppm"])
def test_16_bit_files_become_8_bits(load, extension, channels):
    if channels != {".pgm": 1, ".ppm": 3}.get(extension, channels):
        pytest.skip("Netpbm has no alpha")
    values = ramp(65535, channels)
    if channels == 4:
        values[..., 3] = 65535
    given = load(written(extension, values))
    expected = np.round(RAMP * 255)[..., None].repeat(3, axis=2)
    assert np.abs(pixels_of(given) - expected).max() <= 1
    assert given.peak == 65535


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_white_level_of_a_camera_of_12_bits(load, extension, channels):
    content = written(extension, ramp(4095, channels))
    given = load(content, Limits(10**6, white_level=4095))
    expected = np.round(RAMP * 255)[..., None].repeat(3, axis=2)
    assert np.abs(pixels_of(given) - expected).max() <= 1
    assert pixels_of(load(content)).max() == 16  # 4095 / 257
    above = load(content, Limits(10**6, white_level=2000))
    assert (pixels_of(above)[0, 20:] == 255).all()


def test_white_level_leaves_8_bit_pictures_alone(load):
    values = np.round(RAMP * 255).astype(np.uint8)
    given = load(written(".png", values), Limits(10**6, white_level=4095))
    np.testing.assert_array_equal(pixels_of(given)[..., 0], values)


@pytest.mark.parametrize("largest", [256, 1023, 4095, 16383, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_netpbm_files_name_the_value_of_white(load, kind, largest):
    values = ramp(largest, 3 if kind in ("P3", "P6") else 1)
    header = f"{kind} 40 5 {largest}\n".encode()
    numbers = " ".join(map(str, values.ravel().tolist())).encode()
    binary = values.astype(">u2").tobytes()
    for white_level in (None, 1023):
        given = load(
            header + (numbers if kind in ("P2", "P3") else binary),
            Limits(10**6, white_level=white_level if largest < 65535 else None),
        )
        assert np.abs(pixels_of(given)[..., 0] - np.round(RAMP * 255)).max() <= 1


def test_significant_bits_of_a_png_do_not_change_white(load):
    # PNG 3, 11.3.2.7 (sBIT): samples are scaled to the full range, whatever their precision.
    header, *rest = evil.chunks(written(".png", ramp(65535, 1)))
    content = evil.png_of([header, (b"sBIT", bytes([12])), *rest])
    assert pixels_of(load(content))[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("peaks", "level", "expected"),
    [
        ([], None, ""),
        ([4095, 3000], None, "above 4,095 in any of 2 16-bit pictures.*data.white_level: 4095"),
        ([900], None, "10 bits.*data.white_level: 1023"),
        ([255], None, "8 bits.*data.white_level: 255"),
        ([16000], None, "data.white_level: 16383"),
        ([65535, 100], None, ""),
        ([4095, 3000], 4095, ""),
        ([4096, 3000], 4095, "1 of 2 16-bit pictures have values above data.white_level"),
    ],
)
def test_the_finding_about_the_value_of_white(peaks, level, expected):
    sentence = deep_pixels.white_level_sentence(peaks, level)
    if expected:
        assert re.search(expected, sentence)
    else:
        assert sentence == ""


@pytest.mark.parametrize(
    ("data", "amount"),
    [
        (b"P6 2 1 255\nabcdef", (6, 6, "bytes")),
        (b"P5\n# a comment\n2 2\n65535\nabc", (3, 8, "bytes")),
        (b"P4 9 2\nabc", (3, 4, "bytes")),
        (b"P3 1 1 255\n1 2 # 3\n3", (3, 3, "numbers")),
        (b"P1 2 2\n10 01", (4, 4, "digits")),
        (b"P2 -1 1 255 7", None),
    ],
)
def test_netpbm_amounts_by_hand(data, amount):
    assert deep_pixels.netpbm_amount(data) == (amount and deep_pixels.Amount(*amount))
