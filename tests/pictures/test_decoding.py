import hashlib
import re
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import evil
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from recorded import pixels_of

from trackbed.dataset import images
from trackbed.dataset.schema import Entry
from trackbed.pictures import decoding, rejections
from trackbed.pictures.rejections import Limits, Rejected

DATA = Path(__file__).parents[2] / "shared" / "data"
LIMIT = Limits(10_000_000)
WHOLE = evil.files()
NAMES = vars(rejections).items()
REASONS = {value for name, value in NAMES if name.isupper() and isinstance(value, str)}


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
    error = np.abs(pixels_of(given).astype(int) - np.asarray(expected.convert("RGB")))
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
        np.testing.assert_array_equal(by_tensorflow(given), pixels_of(given))


@pytest.mark.parametrize("folder", ["trackbed/test", "scenes/test", "gtsrb/00"])
def test_tensorflow_and_pillow_agree_on_photographs(folder):
    paths = sorted((DATA / folder).rglob("*.*g"))[::40]
    if not paths:
        pytest.skip("shared/data is not there")
    for path in paths:
        given = images.load(Entry(path.name, "A", "", "", path), LIMIT)
        assert given.data == path.read_bytes()
        np.testing.assert_array_equal(by_tensorflow(given), pixels_of(given))


@pytest.mark.parametrize("kind", ["trailing", "two pictures"])
def test_of_a_camera_file_the_first_picture_is_kept(load, kind):
    content = {"trailing": WHOLE["jpeg"] + bytes(900), "two pictures": WHOLE["jpeg of two"]}[kind]
    given = load(content)
    assert given.encoding == "jpeg"
    assert given.data.endswith(b"\xff\xd9")
    assert content.startswith(given.data)
    assert given.sha256 == hashlib.sha256(content).hexdigest()
    np.testing.assert_array_equal(
        pixels_of(given), np.asarray(Image.open(evil.io.BytesIO(content)))
    )


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
        np.testing.assert_array_equal(pixels_of(given), np.asarray(expected))
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
        assert pixels_of(load(content))[0].tolist() == [[value] * 3 for value in expected]


def test_16_bit_colour_is_rounded_and_its_key_colour_exact(load):
    values = np.array([[[0, 255, 256], [0x1234, 0xFF00, 0xFFFF]]], ">u2")
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    rows = evil.zlib.compress(b"\0" + values.tobytes())
    first, second = [0, 1, 1], [18, 254, 255]  # value / 257, rounded
    near = values[0, 1] + np.array([0, 0, -1])  # another lower byte alone
    for key, expected in ((None, second), (values[0, 1], [255, 255, 255]), (near, second)):
        chunks = [] if key is None else [(b"tRNS", key.astype(">u2").tobytes())]
        content = evil.png_of([(b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")])
        assert load(content).encoding == "raw"
        assert pixels_of(load(content)).tolist() == [[first, expected]]


def test_transparent_pixels_are_laid_over_white(load):
    half = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    over_white = [[200, 100, 0], [255, 255, 255], [244, 224, 204]]  # 0.2 x colour + 0.8 x 255
    for format, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        given = pixels_of(load(from_array(half, format, **options)))
        assert np.abs(given[0, [0, 1]].astype(int) - over_white[:2]).max() == 0
        assert np.abs(given[0, 2].astype(int) - over_white[2]).max() <= 1
    grey = np.array([[[80, 255], [80, 0]]], np.uint8)
    assert pixels_of(load(from_array(grey)))[0].tolist() == [[80] * 3, [255] * 3]


def test_a_transparent_palette_entry_is_white(load):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    for format in ("PNG", "GIF"):
        content = evil.saved(image, format, transparency=1)
        assert pixels_of(load(content))[0].tolist() == [[10, 20, 30], [255, 255, 255]]


def test_gamma_and_interlacing_do_not_change_pixels(load):
    header, *rest = evil.chunks(WHOLE["png"])
    gamma = evil.png_of([header, (b"gAMA", struct.pack(">I", 100_000)), *rest])
    assert load(gamma).encoding == "png"
    for pixels in (pixels_of(load(gamma)), by_tensorflow(load(gamma))):
        np.testing.assert_array_equal(pixels, np.asarray(evil.picture()))
    # A single pixel lies in the first of Adam7's seven passes, and so has one row.
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    rows = evil.zlib.compress(b"\0\x01\x02\x03")
    interlaced = evil.png_of([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])
    assert pixels_of(load(interlaced)).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(
    ("pixels", "detail"),
    [
        (np.ones((2, 2), np.float32), "TIFF with 32-bit floating-point samples"),
        (np.full((2, 2), 70_000, np.int32), "32-bit samples up to 70,000"),
    ],
)
def test_32_bit_pixels_are_refused(load, pixels, detail):
    with pytest.raises(Rejected, match=f"unsupported format: {detail}"):
        load(from_array(pixels, "TIFF"))


def profile(kind, primaries, gamma):
    """A display profile by its matrix, ICC.1:2001-04; primaries: columns XYZ at D50."""

    def fixed(*values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249)}
    if kind == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"r", b"g", b"b"), np.transpose(primaries), strict=True):
            tags |= {name + b"XYZ": b"XYZ " + bytes(4) + fixed(*column), name + b"TRC": curve}
    place, table, content = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", place + len(content), len(data))
        content += data
    head = struct.pack(">I4sI", place + len(content), b"test", 0x02400000) + b"mntr" + kind
    head += b"XYZ " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return (head + fixed(0.9642, 1, 0.8249)).ljust(128, b"\0") + (
        struct.pack(">I", len(tags)) + table + content
    )


# Bruce Lindbloom, RGB/XYZ matrices adapted to D50: Adobe RGB (1998) and sRGB.
ADOBE = [[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197],
         [0.0194811, 0.0608902, 0.7448387]]  # fmt: skip
SRGB = [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733]]  # fmt: skip


def as_srgb(values, primaries, gamma):
    """Colours of a matrix profile as sRGB, IEC 61966-2-1."""
    linear = np.linalg.solve(SRGB, primaries @ (np.asarray(values) / 255) ** gamma).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded * 255


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_colours_of_a_profile_become_those_of_srgb(load, format):
    colour = np.full((16, 16, 3), (120, 180, 90), np.uint8)
    options = {"icc_profile": profile(b"RGB ", ADOBE, 2.2)}
    options |= {"lossless": True} if format == "WEBP" else {}
    given = load(from_array(colour, format, **options))
    assert given.encoding == "raw"
    expected = as_srgb([120, 180, 90], ADOBE, 2.2)  # 66, 181, 84
    assert np.abs(pixels_of(given)[8, 8] - expected).max() <= 3


def test_a_grey_profile_is_applied_and_alpha_is_kept(load):
    grey = np.full((4, 4), 100, np.uint8)
    given = load(from_array(grey, icc_profile=profile(b"GRAY", None, 1.0)))
    assert np.abs(pixels_of(given)[0, 0].astype(int) - 168).max() <= 1  # 100 / 255 linear
    half = np.dstack([np.full((4, 4, 3), (120, 180, 90), np.uint8), grey])
    given = load(from_array(half, icc_profile=profile(b"RGB ", ADOBE, 2.2)))
    share = 100 / 255
    expected = as_srgb([120, 180, 90], ADOBE, 2.2) * share + 255 * (1 - share)
    assert np.abs(pixels_of(given)[0, 0] - expected).max() <= 2


def test_a_profile_of_srgb_or_none_changes_nothing(load):
    near_srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for content in (near_srgb, b"no profile", profile(b"CMYK", SRGB, 1.0)):
        for format, encoding in (("JPEG", "jpeg"), ("PNG", "png")):
            data = evil.saved(evil.picture(), format, icc_profile=content)
            given = load(data)
            assert (given.encoding, given.data) == (encoding, data)


def colours_without_alpha():
    return np.dstack([np.asarray(evil.picture()), np.zeros((37, 53), np.uint8)])


def bmp_of_32_bits(pixels):
    """A BITMAPV4 file; pixels: RGBA."""
    height, width = pixels.shape[:2]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII4I", 108, width, height, 1, 32, 3, 0, 0, 0, 0, 0, *masks)
    header = header.ljust(108, b"\0")
    rows = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    return b"BM" + struct.pack("<IHHI", 122 + len(rows), 0, 0, 122) + header + rows


@pytest.mark.parametrize("format", ["BMP", "PNG", "TIFF", "WEBP"])
def test_alpha_that_is_0_everywhere_is_unused(load, format):
    pixels = colours_without_alpha()
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    made = bmp_of_32_bits(pixels) if format == "BMP" else from_array(pixels, format, **options)
    np.testing.assert_array_equal(pixels_of(load(made)), pixels[..., :3])
    pixels[0, 0, 3] = 255  # of one pixel: used
    made = bmp_of_32_bits(pixels) if format == "BMP" else from_array(pixels, format, **options)
    given = pixels_of(load(made))
    assert given[0, 0].tolist() == pixels[0, 0, :3].tolist()
    assert (given.reshape(-1, 3)[1:] == 255).all()


def test_unused_alpha_of_grey_palette_and_key_colour(load):
    grey = np.dstack([np.full((2, 3), 90, np.uint8), np.zeros((2, 3), np.uint8)])
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30])
    key = Image.new("RGB", (2, 1), (10, 20, 30))
    assert pixels_of(load(from_array(grey)))[0, 0].tolist() == [90, 90, 90]
    for image, transparency in ((palette, 0), (key, (10, 20, 30))):
        content = evil.saved(image, "PNG", transparency=transparency)
        assert pixels_of(load(content)).tolist() == [[[10, 20, 30]] * 2]


def jpeg_header(frame, bits, bands):
    """A JPEG up to its frame, with the end of an image."""
    size = struct.pack(">BHHB", bits, 8, 8, bands) + bytes(3 * bands)
    return b"\xff\xd8\xff" + bytes([frame]) + struct.pack(">H", 2 + len(size)) + size + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (jpeg_header(0xC1, 12, 3), "12-bit JPEG"),
        (jpeg_header(0xC3, 16, 1), "lossless JPEG of 16 bits"),
        (jpeg_header(0xF7, 8, 1), "JPEG-LS of 8 bits"),
        (jpeg_header(0xC5, 8, 3), "hierarchical JPEG"),
        (jpeg_header(0xC0, 8, 2), "JPEG of 2 bands"),
        (WHOLE["png"][:8] + bytes([0, 0, 0, 4]) + b"CgBI" + bytes(8), "Apple"),
        (bytes(128) + b"DICM" + bytes(8), "DICOM"),
        (bytes(60) + b"TRUEVISION-XFILE.\0", "TGA"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "run `git lfs pull`"),
    ],
)
def test_what_is_not_read_is_named_and_not_called_damaged(load, content, kind):
    with pytest.raises(Rejected) as refused:
        load(content)
    assert refused.value.reason == "unsupported format"
    assert kind in refused.value.detail


def test_a_usual_jpeg_that_is_damaged_stays_damaged(load):
    broken = jpeg_header(0xC0, 8, 3)
    with pytest.raises(Rejected, match=r"damaged|truncated"):
        load(broken)


@pytest.mark.parametrize("name", ["gif animated", "png animated", "webp animated", "tiff pages"])
def test_several_frames_are_counted(load, name):
    assert load(WHOLE[name]).pages == 2
    assert load(WHOLE[name.split()[0]]).pages == 1


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
def test_a_rejection_has_its_reason_and_numbers(load, content, reason, detail):
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


@pytest.mark.parametrize("name", WHOLE)
def test_a_cut_file_is_refused_or_its_pixels_are_all_there(load, name, capfd):
    whole, accepted = pixels_of(load(WHOLE[name])), 0
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
            np.testing.assert_array_equal(pixels_of(given), whole)
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
            assert not re.search(
                "0x[0-9a-f]{6}", refused.detail
            )  # an address would differ from run to run
            continue
        kept += [given] if given.encoding != "raw" else []
    assert capfd.readouterr() == ("", "")
    for given in kept:
        np.testing.assert_array_equal(by_tensorflow(given), pixels_of(given))


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


def outcome(content):
    try:
        found = decoding.decoded(content, LIMIT)
    except Rejected as rejection:
        return rejection.reason, rejection.detail
    return found.format, hashlib.sha256(found.image.tobytes()).hexdigest()


def test_threads_decode_as_one_does(capfd):
    damaged = [
        content
        for name in ("tiff", "png", "gif")
        for content in [WHOLE[name], *evil.mutations(WHOLE[name], 10, seed=1)]
    ] * 3
    expected = [outcome(content) for content in damaged]
    settings = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(outcome, damaged)) == expected
    assert settings == (Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    assert capfd.readouterr() == ("", "")


def test_the_largest_limit_of_all_threads_counts_for_pillow():
    before = Image.MAX_IMAGE_PIXELS
    with decoding.pillow_limits(100):
        with decoding.pillow_limits(300):
            assert Image.MAX_IMAGE_PIXELS == 300
        assert Image.MAX_IMAGE_PIXELS == 100
    assert before == Image.MAX_IMAGE_PIXELS
