import hashlib
import os
import socket
from dataclasses import replace

import evil
import numpy as np
import pytest
from PIL import Image, ImageOps
from recorded import pixels_of, raw_entry

from trackbed.dataset import images, source_pictures
from trackbed.dataset.schema import Entry
from trackbed.pictures.rejections import Limits, Rejected

LIMIT = Limits(10_000_000)
WHOLE = evil.files()
SIZE = (53, 37)


def test_a_box_is_cut_out_with_its_margin(load):
    whole = np.asarray(evil.picture())
    given = load(WHOLE["png"], box=(10, 4, 30, 24))
    assert (given.encoding, given.height, given.width) == ("raw", 20, 20)
    np.testing.assert_array_equal(pixels_of(given), whole[4:24, 10:30])
    # A quarter of 20 is 5 on every side; at the top there are only 4.
    wider = load(WHOLE["png"], box=(10, 4, 30, 24), margin=0.25)
    np.testing.assert_array_equal(pixels_of(wider), whole[0:29, 5:35])
    assert given.sha256 != load(WHOLE["png"], box=(10, 4, 30, 23)).sha256


def test_a_box_counts_in_the_upright_picture(load):
    whole = np.asarray(ImageOps.exif_transpose(Image.open(evil.io.BytesIO(WHOLE["jpeg sideways"]))))
    given = load(WHOLE["jpeg sideways"], box=(0, 40, 37, 53))
    np.testing.assert_array_equal(pixels_of(given), whole[40:53])


def test_a_box_beyond_the_picture_is_refused_with_both_sizes(load):
    with pytest.raises(Rejected, match="box outside: box 0,0,54,10 of 53 x 37 pixels"):
        load(WHOLE["png"], box=(0, 0, 54, 10))


def test_boxes_can_be_ignored(load):
    limits = Limits(10**6, boxes="ignore")
    given = load(WHOLE["png"], limits, box=(10, 4, 30, 24))
    assert (given.width, given.height) == SIZE
    assert given.data == WHOLE["png"]
    assert load(WHOLE["png"], limits, box=(0, 0, 900, 900)).box is None


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe", "socket"])
def test_only_regular_files_are_opened(tmp_path, monkeypatch, kind):
    path, real = tmp_path / "picture", tmp_path / "real"
    real.write_bytes(WHOLE["png"])
    if kind.endswith("link"):
        path.symlink_to(real if kind == "link" else tmp_path / "missing")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        monkeypatch.chdir(tmp_path)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("picture")
    with pytest.raises(Rejected, match="not a regular file"):
        images.load(Entry("picture", "A", "", "", path), LIMIT)


def test_a_file_that_is_gone_is_unreadable(tmp_path):
    with pytest.raises(Rejected, match="unreadable: No such file"):
        images.load(Entry("gone", "A", "", "", tmp_path / "gone"), LIMIT)


def test_raw_pixels_of_a_record(tmp_path):
    pixels = np.arange(24, dtype=np.uint8)
    path = tmp_path / "records"
    color = images.load(raw_entry(path, pixels.tobytes(), 2, 4, 3, before=b"before"), LIMIT)
    np.testing.assert_array_equal(pixels_of(color), pixels.reshape(2, 4, 3))
    assert (color.format, color.encoding) == ("RAW", "raw")
    assert color.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()
    grey = images.load(raw_entry(path, pixels.tobytes(), 4, 6, 1), LIMIT)
    np.testing.assert_array_equal(pixels_of(grey), pixels.reshape(4, 6, 1).repeat(3, axis=2))


@pytest.mark.parametrize(
    ("length", "shape", "message"),
    [
        (24, (2, 5, 3), "wrong length: pixel data of 24 bytes, 2 x 5 x 3 are 30"),
        (24, (-2, -4, 3), "wrong length"),
        (0, (0, 4, 3), "wrong length"),
        (3 * 10**8, (10**4, 10**4, 3), "too many pixels: 10,000 x 10,000"),
    ],
)
def test_raw_pixels_that_cannot_be(tmp_path, length, shape, message):
    entry = raw_entry(tmp_path / "records", b"", *shape)
    with pytest.raises(Rejected, match=message):
        images.load(replace(entry, raw=replace(entry.raw, length=length)), LIMIT)


def test_a_raw_record_that_is_cut_is_rejected(tmp_path):
    path = tmp_path / "records"
    entry = raw_entry(path, bytes(24), 2, 4, 3)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(Rejected, match=r"truncated: 20 of \d+ bytes"):
        images.load(entry, LIMIT)


@pytest.fixture
def refusal(tmp_path):
    """Why a file is rejected that begins so and is so long; what follows takes no disk."""

    def refusal(start, length):
        path = tmp_path / "picture"
        path.write_bytes(start)
        os.truncate(path, length)
        with pytest.raises(Rejected) as refused:
            source_pictures.checked(Entry("picture", "A", "", "", path), LIMIT)
        return refused.value.reason, refused.value.detail

    return refusal


def test_the_length_is_explained_by_the_size_in_the_header(refusal, tmp_path):
    picture = evil.saved(evil.picture(), "GIF")
    most = 2**26 + 8 * evil.WIDTH * evil.HEIGHT
    words = f"{most + 1:,} bytes for 53 x 37 pixels"
    assert refusal(picture, most + 1) == ("too many bytes", words)
    path = tmp_path / "picture"
    os.truncate(path, most)
    assert images.load(Entry("picture", "A", "", "", path), LIMIT).width == 53


def test_plain_numbers_take_more(tmp_path):
    header = f"P3 {evil.WIDTH} {evil.HEIGHT} 255 ".encode()
    path = tmp_path / "picture"
    path.write_bytes(header)
    most = 2**26 + 18 * evil.WIDTH * evil.HEIGHT
    source_pictures.refuse_too_long(path, most, LIMIT)
    with pytest.raises(Rejected, match="too many bytes"):
        source_pictures.refuse_too_long(path, most + 1, LIMIT)


def test_what_is_no_picture_is_not_read(refusal):
    assert refusal(b"", 2**40)[0] == "not an image"
    assert refusal(b"%!PS-Adobe", 2**40) == ("unsupported format", "PostScript")


def test_a_large_picture_has_too_many_pixels(refusal):
    assert refusal(b"P6 60000 60000 255\n", 2**34)[0] == "too many pixels"


def test_long_metadata_are_not_read_to_their_end(refusal):
    signature = evil.saved(evil.picture(), "PNG")[:33]
    assert refusal(signature + b"\x70\0\0\0evIL", 2**31)[0] == "too many bytes"
