"""TIFF files written byte by byte, by TIFF 6.0."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from recorded import pixels_of

from trackbed.dataset import source_pictures
from trackbed.pictures.rejections import Limits, Rejected

WIDTH, HEIGHT = 40, 6
RAMP = np.linspace(0, 1, WIDTH)[None].repeat(HEIGHT, axis=0)
REDUCED, MASK = 1, 4


def packed(values, bits):
    """Samples without gaps, the highest bit first; every row begins with a byte."""
    rows = ["".join(f"{value:0{bits}b}" for value in row) for row in values.tolist()]
    rows = [row + "0" * (-len(row) % 8) for row in rows]
    return b"".join(int(row, 2).to_bytes(len(row) // 8) for row in rows)


def page(values, bits, photometric=1, order="<", tags=()):
    """The tags and the data of a page; values: (rows, columns[, channels])."""
    values = np.asarray(values).astype(int)
    channels = 1 if values.ndim == 2 else values.shape[2]
    rows = values.reshape(len(values), -1)
    wide = bits in (8, 16, 32)
    data = rows.astype(f"{order}u{bits // 8}").tobytes() if wide else packed(rows, bits)
    own = {256: values.shape[1], 257: len(values), 258: [bits] * channels, 259: 1}
    own |= {262: photometric, 277: channels, 278: len(values), 279: len(data)}
    return own | dict(tags), data


def file(*pages, order="<", sub=()):
    """A TIFF file of pages; those of `sub` are SubIFDs of the first."""
    content = bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    link = 4

    def put(form, *values):
        content.extend(struct.pack(order + form, *values))
        return len(content)

    def directory(tags, data):
        start = len(content)
        content.extend(data + bytes(len(data) % 2))
        entries = []
        for tag, value in sorted((tags | {273: start}).items()):
            values = value if isinstance(value, list) else [value]
            kind = "L" if tag in (273, 279, 330, 50717) else "H"
            body = struct.pack(f"{order}{len(values)}{kind}", *values)
            if len(body) > 4:
                body, place = struct.pack(order + "L", len(content)), body
                content.extend(place + bytes(len(place) % 2))
            number = 4 if kind == "L" else 3
            entries.append(
                struct.pack(order + "HHL", tag, number, len(values)) + body.ljust(4, b"\0")
            )
        begin = len(content)
        put("H", len(entries))
        content.extend(b"".join(entries))
        end = len(content)
        put("L", 0)
        return begin, end

    below = [directory(*one)[0] for one in sub]
    for number, (tags, data) in enumerate(pages):
        more = {330: below} if below and not number else {}
        begin, end = directory(tags | more, data)
        content[link : link + 4] = struct.pack(order + "L", begin)
        link = end
    return bytes(content)


def grey(bits, **options):
    return page(np.round(RAMP * (2**bits - 1)).astype(int), bits, **options)


def assert_ramp(picture):
    expected = np.round(RAMP * 255)[..., None].repeat(3, axis=2)
    assert pixels_of(picture).shape == expected.shape
    assert np.abs(pixels_of(picture) - expected).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 9, 10, 11, 12, 13, 14, 15, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_white_is_the_largest_value_of_the_bits(load, order, bits, channels):
    values = np.round(RAMP * (2**bits - 1)).astype(int)
    if channels == 3:
        values = values[..., None].repeat(3, axis=2)
    content = file(page(values, bits, 2 if channels == 3 else 1, order), order=order)
    assert_ramp(load(content))


def test_pillow_reads_the_same_from_what_is_written_here():
    values = np.round(RAMP * 4095).astype(int)
    with Image.open(io.BytesIO(file(page(values, 12)))) as image:
        np.testing.assert_array_equal(np.asarray(image), values)


@pytest.mark.parametrize("tag", [281, 50717])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_tag_names_the_value_of_white(load, tag, order, channels):
    values = np.round(RAMP * 4095).astype(int)[..., None].repeat(channels, axis=2)
    photometric = 2 if channels == 3 else 1
    tags = {tag: [4095] * channels}
    given = load(file(page(values, 16, photometric, order, tags), order=order))
    assert_ramp(given)
    assert given.peak == 0  # known


def test_a_largest_value_that_is_a_statistic_is_no_white(load):
    values = np.full((4, 4), 3000)
    for largest in (3000, 2047):  # not of a number of bits; below the values
        content = file(page(values, 16, tags={281: largest}))
        assert pixels_of(load(content))[0, 0, 0] == round(3000 / 257)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_0_may_be_white(load, bits):
    values = (2**bits - 1) - np.round(RAMP * (2**bits - 1)).astype(int)
    assert_ramp(load(file(page(values, bits, photometric=0))))


def test_planes_one_after_another_and_tiles(load):
    first = np.round(RAMP * 65535).astype("<u2")
    tags, _ = page(first[..., None].repeat(3, axis=2), 16, 2)
    planes = file((tags | {284: 2}, first.tobytes() * 3))
    # The writer names one strip: name the three that there are.
    with pytest.raises(Rejected, match="truncated"):
        load(planes)
    tile = np.zeros((16, 16), "<u2")
    tile[:, :] = 65535
    tags = page(np.zeros((16, 16)), 16)[0]
    tags |= {322: 16, 323: 16, 324: 8, 256: 10, 257: 9}
    given = pixels_of(load(file((tags, tile.tobytes()))))
    assert given.shape == (9, 10, 3)
    assert (given == 255).all()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_packed_picture_is_turned_upright(load, orientation):
    content = file(grey(12, tags={274: orientation}))
    given = pixels_of(load(content))[..., 0]
    turned = {1: RAMP, 3: RAMP[:, ::-1], 6: RAMP[:, :].T}[orientation]
    assert np.abs(given - np.round(turned * 255)).max() <= 1


SMALL = page(np.full((2, 3), 128), 8, tags={254: REDUCED})


@pytest.mark.parametrize(
    "content",
    [
        file(SMALL, grey(8)),
        file(SMALL, grey(12, tags={254: 0})),
        file(SMALL, sub=[grey(16)]),
        file(SMALL, sub=[SMALL, grey(8, tags={254: 0})]),
        file(page(np.full((2, 3), 9), 8, tags={255: 2}), grey(8, tags={255: 1})),
        file(page(np.zeros((HEIGHT, WIDTH)), 1, 4, tags={254: MASK}), grey(8)),
        file(grey(8), SMALL, SMALL),
        file(grey(8), sub=[SMALL]),
        file(SMALL, grey(8, tags={254: REDUCED})),
    ],
)
def test_the_page_of_full_resolution_is_read(load, content):
    given = load(content)
    assert_ramp(given)
    assert given.pages == 1


def test_further_pages_are_counted(load):
    other = page(np.full((HEIGHT, WIDTH), 7), 8)
    given = load(file(grey(8, tags={254: 2}), other, SMALL, other))
    assert_ramp(given)
    assert given.pages == 3


def test_a_preview_is_not_read_where_the_picture_is_cut_off(load):
    tags, data = grey(8)
    for content in (file(SMALL, (tags, data)), file((tags, data), sub=[SMALL])):
        for end in range(len(content) - 100, len(content) - 4):
            try:
                given = load(content[:end])
            except Rejected:
                continue
            assert_ramp(given)


def test_pages_in_a_circle_end(load):
    content = bytearray(file(grey(8)))
    first = content[4:8]
    content[-4:] = first
    assert load(bytes(content)).pages == 1


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (grey(16, photometric=32803), "Bayer"),
        (grey(16, photometric=34892), "linear raw"),
        (grey(16, tags={339: 3}), "16-bit floating-point"),
        (grey(32, tags={339: 3}), "32-bit floating-point"),
        (grey(8, tags={339: 2}), "8-bit signed"),
        (grey(8, tags={259: 34712}), "compression 34712 (JPEG 2000)"),
        (grey(8, tags={259: 65000}), "compression 65000"),
        (page(np.zeros((4, 4, 5)), 8), "5 bands"),
        (page(np.zeros((4, 4, 12)), 8, tags={284: 2, 338: [0] * 11}), "12 bands"),
        (page(np.zeros((4, 4, 5)), 16, 2), "5 bands"),
        (grey(24), "24 bits"),
        (grey(12, tags={259: 7}), "12 bits"),
        (grey(14, tags={259: 5}), "14 bits a pixel and compression 5"),
    ],
)
def test_a_kind_that_is_not_read_is_named(load, made, kind):
    with pytest.raises(Rejected) as refused:
        load(file(made))
    assert refused.value.reason == "unsupported format"
    assert kind in refused.value.detail


def test_a_raw_file_of_a_camera_is_not_its_preview(load):
    preview = page(np.full((2, 3, 3), 200), 8, 2, tags={254: REDUCED})
    with pytest.raises(Rejected, match="unsupported format: TIFF with Bayer samples"):
        load(file(preview, sub=[grey(16, photometric=32803), preview]))


@pytest.mark.parametrize("alpha", [0, 1, 2])  # unspecified, multiplied, straight
def test_alpha_that_is_0_everywhere_is_unused(load, alpha):
    for bits in (8, 16):
        values = np.round(RAMP * (2**bits - 1)).astype(int)[..., None].repeat(4, axis=2)
        values[..., 3] = 0
        assert_ramp(load(file(page(values, bits, 2, tags={338: alpha}))))
        assert_ramp(load(file(page(values[..., 2:], bits, 1, tags={338: alpha}))))


def test_a_cut_packed_picture_is_truncated(load):
    tags, data = grey(12)
    with pytest.raises(Rejected, match="truncated"):
        load(file((tags | {278: HEIGHT, 257: 4000}, data)))


def test_long_files_of_many_pages_are_explained_by_all_of_them(tmp_path):
    path = tmp_path / "pages.tif"
    path.write_bytes(file(grey(8), grey(8), grey(8)))
    most = source_pictures.METADATA_BYTES + 16 * 3 * WIDTH * HEIGHT
    limits = Limits(WIDTH * HEIGHT)  # of one page
    source_pictures.refuse_too_long(path, most, limits)
    with pytest.raises(Rejected, match="too many bytes"):
        source_pictures.refuse_too_long(path, most + 1, limits)
