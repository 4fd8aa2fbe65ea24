import hashlib
import itertools
import os
import socket
from dataclasses import replace
from pathlib import Path

import evil
import numpy as np
import pytest
from PIL import Image, ImageOps
from recorded import pixels_of, raw_entry
from scipy.ndimage import convolve

from trackbed.dataset import images
from trackbed.dataset.images import quality
from trackbed.dataset.schema import Entry, Limits, Rejected

DATA = Path(__file__).parents[2] / "shared" / "data"
LIMIT = Limits(10_000_000)
WHOLE = evil.files()


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


SIZE = (53, 37)


def entry_of(box, size=None):
    return Entry("a", "A", "", "", Path("a"), box, size=size)


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
    fit = images.box_fit(entry_of((10, 4, 30, 24), size), SIZE, "check")
    assert fit.box == box
    assert bool(fit.detail) == (size != SIZE)


def test_a_box_of_another_shape_is_refused_or_stretched():
    entry = entry_of((10, 4, 30, 24), (40, 37))
    words = "counts in 40 x 37 pixels, the picture has 53 x 37, another shape"
    with pytest.raises(Rejected, match=f"box of another size: {words}"):
        images.box_fit(entry, SIZE, "check")
    stretched = images.box_fit(entry, SIZE, "stretch")
    assert stretched.box == (13, 4, 40, 24)  # by 53 / 40 across
    assert images.box_fit(entry, SIZE, "ignore") is None
    turned = entry_of((0, 0, 5, 5), (37, 53))  # of the picture before it is turned upright
    with pytest.raises(Rejected, match=r"counts in 37 x 53.*another shape, on its side"):
        images.box_fit(turned, SIZE, "check")
    with pytest.raises(Rejected, match="on its side"):  # not scaled by 29 / 30 and 30 / 29
        images.box_fit(entry_of((0, 0, 5, 5), (29, 30)), (30, 29), "check")


def test_a_tiny_box_keeps_a_pixel_inside():
    for corner in ((999, 999, 1000, 1000), (0, 0, 1, 1)):
        left, top, right, bottom = images.box_fit(
            entry_of(corner, (1000, 1000)), (10, 10), "check"
        ).box
        assert 0 <= left < right <= 10
        assert 0 <= top < bottom <= 10


def test_boxes_can_be_ignored(load):
    limits = Limits(10**6, boxes="ignore")
    given = load(WHOLE["png"], limits, box=(10, 4, 30, 24))
    assert (given.width, given.height) == SIZE
    assert given.data == WHOLE["png"]
    assert load(WHOLE["png"], limits, box=(0, 0, 900, 900)).box is None


def fits(count, size=None, factor=1.0, box=(2, 2, 20, 20)):
    """Boxes in pictures of 100 x 80 pixels and more."""
    return [
        images.box_fit(
            entry_of(box, size and (round((100 + n) * factor), round((80 + n) * factor))),
            (100 + n, 80 + n),
            "stretch",
        )
        for n in range(count)
    ]


def test_one_factor_of_all_boxes_is_reported_once():
    half = fits(20, True, 2.0)
    assert images.box_sentence(half, 0).startswith(
        "all 20 boxes count in pictures of another size: scaled by 0.5"
    )
    assert not images.scaled_alone(half)
    for mixed in (half + fits(1, True), half + fits(1, True, 3.0), half + fits(1)):
        assert images.scaled_alone(mixed)
        assert "scaled by" not in images.box_sentence(mixed, 0)
    assert images.box_sentence(fits(20, True), 0) == ""


def test_boxes_in_one_corner_or_outside_are_reported():
    assert "25% of their pictures" in images.box_sentence(fits(20), 0)
    assert images.box_sentence([*fits(20), *fits(1, box=(0, 0, 90, 20))], 0) == ""
    assert images.box_sentence(fits(20, True), 0) == ""  # in pictures of their own size
    assert images.box_sentence(fits(9), 0) == ""
    many = images.box_sentence(fits(100, box=(0, 0, 90, 70)), 12)
    assert many.startswith("12 of 112 boxes reach out of their pictures")
    assert images.box_sentence(fits(1000, box=(0, 0, 90, 70)), 12) == ""


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


def test_difference_hash_by_hand():
    rising = np.tile(np.arange(9, dtype=np.uint8) * 20, (8, 1))
    assert images.difference_hash(Image.fromarray(rising)) == "f" * 16
    assert images.difference_hash(Image.fromarray(rising[:, ::-1].copy())) == "0" * 16
    rising[0, 8] = 0  # the first row falls at its end: 1111 1110
    assert images.difference_hash(Image.fromarray(rising)) == "fe" + "f" * 14


def test_difference_hash_of_a_large_picture_of_blocks():
    blocks = np.random.default_rng(0).integers(0, 256, (8, 9), dtype=np.uint8)
    bits = "".join(
        "1" if left < right else "0" for row in blocks for left, right in itertools.pairwise(row)
    )
    large = Image.fromarray(blocks.repeat(10, axis=0).repeat(10, axis=1))
    assert images.difference_hash(large) == f"{int(bits, 2):016x}"


def test_a_smaller_copy_of_a_photograph_has_nearly_the_same_hash():
    paths = sorted((DATA / "scenes/test").rglob("*.jpg"))[::50]
    if not paths:
        pytest.skip("shared/data is not there")
    hashes = []
    for path in paths:
        with Image.open(path) as image:
            pair = image.convert("L"), image.convert("L").resize((97, 91))
        hashes.append([int(images.difference_hash(picture), 16) for picture in pair])
    same = [(large ^ small).bit_count() for large, small in hashes]
    other = [(a[0] ^ b[0]).bit_count() for a, b in itertools.pairwise(hashes)]
    assert max(same) < 10 < np.median(other)


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
    images.refuse_too_long(path, most, LIMITS)
    with pytest.raises(Rejected, match="too many bytes"):
        images.refuse_too_long(path, most + 1, LIMITS)


def test_what_is_no_picture_is_not_read(refusal):
    assert refusal(b"", 2**40)[0] == "not an image"
    assert refusal(b"%!PS-Adobe", 2**40) == ("unsupported format", "PostScript")


def test_a_large_picture_has_too_many_pixels(refusal):
    assert refusal(b"P6 60000 60000 255\n", 2**34)[0] == "too many pixels"


def test_long_metadata_are_not_read_to_their_end(refusal):
    signature = evil.saved(evil.picture(), "PNG")[:33]
    assert refusal(signature + b"\x70\0\0\0evIL", 2**31)[0] == "too many bytes"


def test_a_chessboard_by_hand():
    board = np.indices((4, 4)).sum(axis=0) % 2 * 200
    found = quality(Image.fromarray(board.astype(np.uint8)))
    # Half 0, half 200; every pixel differs by 200 from its four neighbours: -800 and 800.
    assert found == (100, 100, 800**2)


def test_agrees_with_numpy_and_scipy_on_noise():
    grey = np.random.default_rng(0).integers(0, 256, (37, 53), dtype=np.uint8)
    kernel = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    edges = convolve(grey.astype(float), kernel, mode="mirror")
    expected = (grey.mean(), grey.std(), edges.var())
    assert quality(Image.fromarray(grey)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (30, 20)])
def test_a_flat_picture_has_neither_contrast_nor_edges(value, size):
    assert quality(Image.new("L", size, value)) == (value, 0, 0)


def test_blur_lowers_sharpness_and_keeps_brightness(photographs):
    path = next((photographs / "trackbed").rglob("*.jpg"), None) or next(photographs.rglob("*.jpg"))
    with Image.open(path) as image:
        grey = image.convert("L")
    small = grey.resize((grey.width // 8, grey.height // 8)).resize(grey.size)
    sharp, blurred = quality(grey), quality(small)
    assert blurred.sharpness < sharp.sharpness / 2
    assert blurred.brightness == pytest.approx(sharp.brightness, abs=2)
