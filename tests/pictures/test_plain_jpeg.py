import io
import itertools

import numpy as np
import pytest
from PIL import Image

from trackbed.pictures import decoding, plain_jpeg
from trackbed.pictures.rejections import Limits, Rejected

RANDOM = np.random.default_rng(0)
LIMIT = Limits(10_000_000)
SIZE = (61, 47)  # width and height, no whole blocks of 8 or 16


def jpeg(mode="RGB", **options):
    """A smooth picture with some noise, as a photograph is."""
    small = RANDOM.integers(0, 256, (6, 8, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(small).resize(SIZE)).astype(int)
    noisy = np.clip(pixels + RANDOM.integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def by_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


CODINGS = itertools.product(["RGB", "L"], [10, 75, 100], [False, True], [0, 1, 2], [0, 3])


@pytest.mark.parametrize("mode, quality, progressive, subsampling, restarts", CODINGS)
def test_every_coding_gives_the_pixels_of_pillow(mode, quality, progressive, subsampling, restarts):
    options = {"restart_marker_blocks": restarts} if restarts else {}
    options |= {"quality": quality, "progressive": progressive, "subsampling": subsampling}
    data = jpeg(mode, **options)
    np.testing.assert_array_equal(plain_jpeg.pixels(data, *SIZE), by_pillow(data))


def test_data_with_a_flaw_are_left_to_pillow_without_a_word(capfd):
    data = jpeg(quality=90)
    damaged = data[: len(data) // 2] + b"\xff\xd9"
    assert by_pillow(damaged).shape == (47, 61, 3)
    assert plain_jpeg.pixels(damaged, *SIZE) is None
    assert plain_jpeg.pixels(data, 62, 47) is None
    assert capfd.readouterr() == ("", "")


def outcome(data, quick):
    try:
        found = decoding.decoded(data, LIMIT, quick=quick)
    except Rejected as rejection:
        return str(rejection), rejection.reason, rejection.detail
    return np.asarray(found.image).tobytes(), found.stored, found.format, found.pages


def test_a_damaged_file_is_judged_as_by_pillow_alone():
    kinds = set()
    original = jpeg(quality=85, exif=b"Exif\0\0")
    for number in range(300):
        data = bytearray(original)
        place = RANDOM.integers(2, len(data))
        if number % 3:
            data[place] ^= 1 << number % 8
        else:
            del data[place : place + 1 + number % 30]
        quick, usual = (outcome(bytes(data), one) for one in (True, False))
        assert quick == usual
        kinds.add(usual[1] if isinstance(usual[0], str) else "accepted")
    assert {"accepted", "truncated"} <= kinds or {"accepted", "damaged"} <= kinds
