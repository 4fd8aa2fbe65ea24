import os

import evil
import pytest

from trackbed.ingest import images, long_files
from trackbed.ingest.entries import Entry, Rejected
from trackbed.ingest.limits import Limits

LIMITS = Limits(10_000_000)


@pytest.fixture
def refusal(tmp_path):
    """Why a file is rejected that begins so and is so long; what follows takes no disk."""

    def refusal(start, length):
        path = tmp_path / "picture"
        path.write_bytes(start)
        os.truncate(path, length)
        with pytest.raises(Rejected) as refused:
            images.load(Entry("picture", "A", "", "", path), LIMITS)
        return refused.value.reason, refused.value.detail

    return refusal


def test_the_length_is_explained_by_the_size_in_the_header(refusal, tmp_path):
    picture = evil.saved(evil.picture(), "GIF")
    most = 2**26 + 8 * evil.WIDTH * evil.HEIGHT
    words = f"{most + 1:,} bytes for 53 x 37 pixels"
    assert refusal(picture, most + 1) == ("too many bytes", words)
    path = tmp_path / "picture"
    os.truncate(path, most)
    assert images.load(Entry("picture", "A", "", "", path), LIMITS).width == 53


def test_plain_numbers_take_more(tmp_path):
    header = f"P3 {evil.WIDTH} {evil.HEIGHT} 255 ".encode()
    path = tmp_path / "picture"
    path.write_bytes(header)
    most = 2**26 + 18 * evil.WIDTH * evil.HEIGHT
    long_files.refuse(path, most, LIMITS)
    with pytest.raises(Rejected, match="too many bytes"):
        long_files.refuse(path, most + 1, LIMITS)


def test_what_is_no_picture_is_not_read(refusal):
    assert refusal(b"", 2**40)[0] == "not an image"
    assert refusal(b"%!PS-Adobe", 2**40) == ("unsupported format", "PostScript")


def test_a_large_picture_is_told_as_that(refusal):
    assert refusal(b"P6 60000 60000 255\n", 2**34)[0] == "too many pixels"


def test_long_metadata_are_not_read_to_their_end(refusal):
    signature = evil.saved(evil.picture(), "PNG")[:33]
    assert refusal(signature + b"\x70\0\0\0evIL", 2**31)[0] == "too many bytes"
