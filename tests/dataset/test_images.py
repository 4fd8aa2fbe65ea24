import hashlib
import itertools
import os
import socket
import struct
import warnings
from dataclasses import replace
from pathlib import Path

import evil
import numpy as np
import pytest
from PIL import Image, ImageOps
from recorded import raw_entry
from scipy.ndimage import convolve

from trackbed.dataset import images, schema
from trackbed.dataset.images import quality
from trackbed.dataset.schema import Entry, Limits, Rejected
from trackbed.records import reader

DATA = Path(__file__).parents[2] / "shared" / "data"
LIMIT = Limits(10_000_000)
WHOLE = evil.files()


@pytest.fixture
def load(tmp_path):
    """images.load for the content of a file."""

    def load(content, limits=LIMIT, box=None, margin=0.0):
        path = tmp_path / "picture"
        path.write_bytes(content)
        return images.load(Entry("picture", "A", "", "", path, box), limits, margin)

    return load


def decoded(picture):
    return np.asarray(reader.decoded(picture.data, picture.encoding, picture.height, picture.width))


def by_tensorflow(picture):
    import tensorflow as tf

    if picture.encoding == "jpeg":
        return tf.io.decode_jpeg(picture.data, 3, dct_method="INTEGER_ACCURATE").numpy()
    return tf.io.decode_png(picture.data, 3).numpy()


def from_array(array, format="PNG", **options):
    return evil.saved(Image.fromarray(array), format, **options)


@pytest.mark.parametrize("name", WHOLE)
def test_every_format_gives_the_pixels_that_were_saved(load, name):
    given = load(WHOLE[name])
    assert given.format == name.split()[0].upper()
    expected = evil.picture()
    if "sideways" in name:
        expected = ImageOps.exif_transpose(Image.open(evil.io.BytesIO(WHOLE[name])))
    if {"bits", "fax"} & set(name.split()):
        expected = expected.convert("1")
    if {"grey", "deep"} & set(name.split()):
        expected = expected.convert("L")
    assert (given.width, given.height) == expected.size
    error = np.abs(decoded(given).astype(int) - np.asarray(expected.convert("RGB")))
    lossy = {"jpeg", "webp", "gif"} & set(name.split()) or "palette" in name
    assert error.mean() < 25 if lossy and name != "webp lossless" else error.max() == 0


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("jpeg", "jpeg"),
        ("jpeg grey", "jpeg"),
        ("jpeg progressive", "jpeg"),
        ("jpeg restarts", "jpeg"),
        ("png", "png"),
        ("png grey", "png"),
    ],
)
def test_what_can_be_decoded_again_is_kept_byte_by_byte(load, name, encoding):
    given = load(WHOLE[name])
    assert (given.encoding, given.data) == (encoding, WHOLE[name])
    assert given.sha256 == hashlib.sha256(WHOLE[name]).hexdigest()


@pytest.mark.parametrize("name", [n for n in WHOLE if n.startswith(("jpeg", "png"))])
def test_tensorflow_decodes_what_is_kept_to_the_same_pixels(load, name):
    given = load(WHOLE[name])
    if given.encoding != "raw":
        np.testing.assert_array_equal(by_tensorflow(given), decoded(given))


@pytest.mark.parametrize("folder", ["trackbed/test", "scenes/test", "gtsrb/00"])
def test_tensorflow_and_pillow_agree_on_photographs(folder):
    paths = sorted((DATA / folder).rglob("*.*g"))[::40]
    if not paths:
        pytest.skip("shared/data is not there")
    for path in paths:
        given = images.load(Entry(path.name, "A", "", "", path), LIMIT)
        assert given.data == path.read_bytes()
        np.testing.assert_array_equal(by_tensorflow(given), decoded(given))


@pytest.mark.parametrize("kind", ["trailing", "two pictures"])
def test_of_a_camera_file_the_first_picture_is_kept(load, kind):
    content = {"trailing": WHOLE["jpeg"] + bytes(900), "two pictures": WHOLE["jpeg of two"]}[kind]
    given = load(content)
    assert given.encoding == "jpeg"
    assert given.data.endswith(b"\xff\xd9")
    assert content.startswith(given.data)
    assert given.sha256 == hashlib.sha256(content).hexdigest()
    np.testing.assert_array_equal(decoded(given), np.asarray(Image.open(evil.io.BytesIO(content))))


def test_what_lies_behind_a_png_is_not_kept(load):
    given = load(WHOLE["png"] + b"PK\3\4, or anything else")
    assert (given.encoding, given.data) == ("png", WHOLE["png"])
    np.testing.assert_array_equal(by_tensorflow(given), np.asarray(evil.picture()))


@pytest.mark.parametrize("orientation", range(10))
def test_exif_orientation_is_applied(load, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for format in ("PNG", "TIFF"):
        content = evil.saved(evil.picture(), format, exif=exif)
        expected = ImageOps.exif_transpose(Image.open(evil.io.BytesIO(content)))
        given = load(content)
        np.testing.assert_array_equal(decoded(given), np.asarray(expected))
    assert (given.width, given.height) == (
        (53, 37) if orientation in (0, 1, 2, 3, 4, 9) else (37, 53)
    )


def test_damaged_exif_data_do_not_matter(load):
    content = evil.saved(evil.picture(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(30))
    assert load(content).data == content


def test_16_bit_grey_is_rounded_and_does_not_wrap_or_clip(load):
    values = np.array([[0, 128, 129, 257, 32768, 65406, 65407, 65535]], np.uint16)
    expected = [0, 0, 1, 1, 128, 254, 255, 255]  # value / 257, rounded
    big_endian = b"P5 8 1 65535\n" + values.astype(">u2").tobytes()
    for content in (from_array(values), from_array(values, "TIFF"), big_endian):
        assert decoded(load(content))[0].tolist() == [[value] * 3 for value in expected]


def test_16_bit_colour_loses_its_lower_8_bits(load):
    values = np.array([[[0, 255, 256], [0x1234, 0xFF00, 0xFFFF]]], ">u2")
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    rows = evil.zlib.compress(b"\0" + values.tobytes())
    for key in ([], [(b"tRNS", values[0, 1].tobytes())]):
        content = evil.png_of([(b"IHDR", header), *key, (b"IDAT", rows), (b"IEND", b"")])
        assert load(content).encoding == "raw"
        assert decoded(load(content)).tolist() == [[[0, 0, 1], [0x12, 0xFF, 0xFF]]]


def test_transparent_pixels_are_laid_over_white(load):
    half = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    over_white = [[200, 100, 0], [255, 255, 255], [244, 224, 204]]  # 0.2 x colour + 0.8 x 255
    for format, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        given = decoded(load(from_array(half, format, **options)))
        assert np.abs(given[0, [0, 1]].astype(int) - over_white[:2]).max() == 0
        assert np.abs(given[0, 2].astype(int) - over_white[2]).max() <= 1
    grey = np.array([[[80, 255], [80, 0]]], np.uint8)
    assert decoded(load(from_array(grey)))[0].tolist() == [[80] * 3, [255] * 3]


def test_a_transparent_palette_entry_is_white(load):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    for format in ("PNG", "GIF"):
        content = evil.saved(image, format, transparency=1)
        assert decoded(load(content))[0].tolist() == [[10, 20, 30], [255, 255, 255]]


def test_gamma_and_interlacing_do_not_change_pixels(load):
    header, *rest = evil.chunks(WHOLE["png"])
    gamma = evil.png_of([header, (b"gAMA", struct.pack(">I", 100_000)), *rest])
    assert load(gamma).encoding == "png"
    for pixels in (decoded(load(gamma)), by_tensorflow(load(gamma))):
        np.testing.assert_array_equal(pixels, np.asarray(evil.picture()))
    # A single pixel lies in the first of Adam7's seven passes, and so has one row.
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    rows = evil.zlib.compress(b"\0\x01\x02\x03")
    interlaced = evil.png_of([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])
    assert decoded(load(interlaced)).tolist() == [[[1, 2, 3]]]


def test_32_bit_pixels_are_refused(load):
    for array in (np.ones((2, 2), np.float32), np.full((2, 2), 70_000, np.int32)):
        with pytest.raises(Rejected, match="unsupported format: 32-bit"):
            load(from_array(array, "TIFF"))


def test_a_deep_tiff_whose_zero_is_white_is_refused(load):
    content = bytearray(WHOLE["tiff deep"])
    photometric = content.index(struct.pack("<HHI", 262, 3, 1))
    content[photometric + 8] = 0
    with pytest.raises(Rejected, match="0 is white"):
        load(content)


def test_a_box_is_cut_out_with_its_margin(load):
    whole = np.asarray(evil.picture())
    given = load(WHOLE["png"], box=(10, 4, 30, 24))
    assert (given.encoding, given.height, given.width) == ("raw", 20, 20)
    np.testing.assert_array_equal(decoded(given), whole[4:24, 10:30])
    # A quarter of 20 is 5 on every side; at the top there are only 4.
    wider = load(WHOLE["png"], box=(10, 4, 30, 24), margin=0.25)
    np.testing.assert_array_equal(decoded(wider), whole[0:29, 5:35])
    assert given.sha256 != load(WHOLE["png"], box=(10, 4, 30, 23)).sha256


def test_a_box_counts_in_the_upright_picture(load):
    whole = np.asarray(ImageOps.exif_transpose(Image.open(evil.io.BytesIO(WHOLE["jpeg sideways"]))))
    given = load(WHOLE["jpeg sideways"], box=(0, 40, 37, 53))
    np.testing.assert_array_equal(decoded(given), whole[40:53])


def test_a_box_beyond_the_picture_is_refused_with_both_sizes(load):
    with pytest.raises(Rejected, match="box outside: box 0,0,54,10 of 53 x 37 pixels"):
        load(WHOLE["png"], box=(0, 0, 54, 10))


@pytest.mark.parametrize(
    ("content", "reason", "detail"),
    [
        (b"", "empty", ""),
        (b"hello", "not an image", ""),
        (b"<svg xmlns='x'/>", "unsupported format", "SVG"),
        (bytes(4) + b"ftypheic" + bytes(50), "unsupported format", "HEIC or AVIF"),
        (b"Pf 1 1 -1.0\n" + bytes(4), "unsupported format", "PFM"),
        (WHOLE["jpeg"][:-2], "truncated", "no end of image in"),
        (WHOLE["png"][:60], "truncated", ""),
        (WHOLE["bmp"][:10], "damaged", "its header cannot be read"),
        (b"P6\r\n2 1\r\n255\r\nabcdef", "wrong length", "of 7 bytes, header says 6"),
        (b"P6 2 1 255 abcdef\n", "wrong length", "of 7 bytes, header says 6"),
        (b"P5 2 1 65535 abc", "wrong length", "of 3 bytes, header says 4"),
        (b"P4 9 1 a", "wrong length", "of 1 bytes, header says 2"),
        (b"P2 2 1 255 7", "wrong length", "of 1 numbers, header says 2"),
        (b"P1 2 2 1 1 0 # 1", "wrong length", "of 3 digits, header says 4"),
    ],
)
def test_the_reason_is_told_with_its_numbers(load, content, reason, detail):
    with pytest.raises(Rejected) as refused:
        load(content)
    assert refused.value.reason == reason
    assert detail in refused.value.detail


def test_files_damaged_by_line_feed_conversion_are_refused():
    paths = sorted((DATA / "damaged-ppm").rglob("*.ppm"))
    if not paths:
        pytest.skip("shared/data is not there")
    reasons = []
    for path in paths:
        with pytest.raises(Rejected) as refused:
            images.load(Entry(path.name, "A", "", "", path), LIMIT)
        reasons.append(refused.value.reason)
    assert sorted(reasons) == ["empty"] * 2 + ["wrong length"] * 12


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"])
def test_too_many_pixels_are_refused_before_they_are_decoded(load, format):
    content = evil.saved(Image.new("RGB", (300, 100)), format)
    assert load(content, Limits(30_000)).width == 300
    for limit in (29_999, 10_000, 100):
        with pytest.raises(Rejected) as refused:
            load(content, Limits(limit))
        assert refused.value.reason == "too many pixels"
        assert f"data.max_pixels is {limit:,}" in refused.value.detail


def test_a_bomb_of_few_bytes_costs_nothing(load):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = evil.zlib.compress(bytes(1000))
    bomb = evil.png_of([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])
    with pytest.raises(Rejected, match=r"3,600,000,000.*data.max_pixels is 10,000,000"):
        load(bomb)


def test_pillows_own_limit_is_left_as_it_was(load):
    limit = Image.MAX_IMAGE_PIXELS
    load(WHOLE["png"])
    with pytest.raises(Rejected):
        load(b"nothing")
    assert limit == Image.MAX_IMAGE_PIXELS


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


NAMES = vars(schema).items()
REASONS = {value for name, value in NAMES if name.isupper() and isinstance(value, str)}


@pytest.mark.parametrize("name", WHOLE)
def test_a_cut_file_is_refused_or_its_pixels_are_all_there(load, name, capfd):
    whole, accepted = decoded(load(WHOLE[name])), 0
    # A plain number that is cut, such as 2 of 25, is a number.
    data = WHOLE[name][:-3] if name == "ppm plain" else WHOLE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for content in evil.cuts(data, 60):
            try:
                given = load(content)
            except Rejected as refused:
                assert refused.reason in REASONS
                continue
            accepted += 1
            np.testing.assert_array_equal(decoded(given), whole)
    if name in ("jpeg", "png", "ppm", "tiff", "webp"):
        assert accepted == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_bytes_never_crash(load, name, capfd):
    kept = []
    for content in evil.mutations(WHOLE[name], 60, seed=len(name)):
        try:
            given = load(content)
        except Rejected as refused:
            assert refused.reason in REASONS
            assert "0x" not in refused.detail  # an address would differ from run to run
            continue
        kept += [given] if given.encoding != "raw" else []
    assert capfd.readouterr() == ("", "")
    for given in kept:
        np.testing.assert_array_equal(by_tensorflow(given), decoded(given))


def test_a_png_that_tensorflow_might_refuse_is_not_kept(load):
    wrong = list(evil.wrong_pngs(WHOLE["png"]))
    outcomes = []
    for content in wrong:
        try:
            outcomes.append(load(content).encoding)
        except Rejected as refused:
            outcomes.append(refused.reason)
    assert "png" not in outcomes
    assert "raw" in outcomes  # Pillow forgives some


def test_raw_pixels_of_a_record(tmp_path):
    pixels = np.arange(24, dtype=np.uint8)
    path = tmp_path / "records"
    color = images.load(raw_entry(path, pixels.tobytes(), 2, 4, 3, before=b"before"), LIMIT)
    np.testing.assert_array_equal(decoded(color), pixels.reshape(2, 4, 3))
    assert (color.format, color.encoding) == ("RAW", "raw")
    assert color.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()
    grey = images.load(raw_entry(path, pixels.tobytes(), 4, 6, 1), LIMIT)
    np.testing.assert_array_equal(decoded(grey), pixels.reshape(4, 6, 1).repeat(3, axis=2))


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


def test_difference_hash_is_that_of_the_blocks_of_a_large_picture():
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


def test_a_large_picture_is_told_as_that(refusal):
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
