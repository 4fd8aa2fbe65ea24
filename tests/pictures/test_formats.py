import io
import re
import struct
import zlib

import pytest
from PIL import Image

from trackbed.pictures import formats

PICTURE = Image.linear_gradient("L").resize((12, 9)).convert("RGB")


def saved(format, **options):
    file = io.BytesIO()
    PICTURE.save(file, format, **options)
    return file.getvalue()


def chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


@pytest.mark.parametrize("name", formats.NAMES)
def test_files_of_every_format_begin_as_its_row_says(name):
    matching = [
        format.name for format in formats.FORMATS if re.match(format.start, saved(name), re.DOTALL)
    ]
    assert matching == [name]


@pytest.mark.parametrize("name", formats.NAMES)
def test_pillow_opens_every_format_by_its_name(name):
    with Image.open(io.BytesIO(saved(name)), formats=formats.NAMES) as image:
        assert formats.named(image.format).name == name


def test_an_alias_names_the_same_format():
    assert formats.named("MPO") is formats.named("JPEG")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("JPEG", "jpeg"), ("PNG", "png"), ("PPM", None), ("BMP", None), ("GIF", None)],
)
def test_jpeg_and_png_are_stored_as_they_came(name, encoding):
    data = saved(name)
    with Image.open(io.BytesIO(data)) as image:
        stored = formats.named(name).as_it_came(image, data + b"more behind" * (name != "PPM"))
    assert stored == (encoding and (encoding, data))


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (b"BM broken", "damaged", "its header cannot be read"),
        (b"P7 ", "unsupported format", "PAM"),
        (b"%PDF-1.7", "unsupported format", "PDF"),
        (b"\xff\x0a", "unsupported format", "JPEG XL"),
        (b"text", "not an image", ""),
    ],
)
def test_the_first_bytes_give_the_reason_to_reject(data, reason, detail):
    rejection = formats.unidentified(data)
    assert (rejection.reason, rejection.detail) == (reason, detail)


def test_the_first_jpeg_ends_behind_its_end_marker():
    frame = b"\xff\xc2\x00\x04ab"
    scan = b"\xff\xda\x00\x02data\xff\x00\xff\xd0more"  # a stuffed zero and a restart
    data = b"\xff\xd8" + frame + scan + b"\xff\xd9"
    assert formats.first_jpeg(data + b"\xff\xd8\xff\xd9") == formats.Jpeg(0xC2, len(data))
    assert formats.first_jpeg(data[:-1]) is None


def test_an_end_marker_inside_a_segment_does_not_count():
    comment = b"\xff\xfe\x00\x04\xff\xd9"
    assert formats.first_jpeg(b"\xff\xd8" + comment) is None


def test_png_chunks_end_with_iend():
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"abc") + chunk(b"IEND", b"")
    found = formats.png_chunks(data + b"behind")
    assert [(one.kind, one.content) for one in found] == [(b"IHDR", b"abc"), (b"IEND", b"")]
    assert found[-1].end + 4 == len(data)
    assert formats.png_chunks(data[:-1]) is None


@pytest.mark.parametrize(
    ("options", "plain"), [({}, True), ({"compress_level": 0}, True), ({"bits": 1}, False)]
)
def test_only_8_bit_pngs_are_plain(options, plain):
    file = io.BytesIO()
    image = PICTURE.convert("P", palette=Image.Palette.ADAPTIVE) if "bits" in options else PICTURE
    image.save(file, "PNG", **options)
    assert formats.is_plain_png(formats.png_chunks(file.getvalue())) is plain
