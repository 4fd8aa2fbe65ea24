import gzip
import struct

import numpy as np
import pytest

from trackbed.dataset import images, sources
from trackbed.dataset.groups import Grouping
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.pipeline.errors import UserError
from trackbed.records import resizing

tf = pytest.importorskip("tensorflow")

PIXELS = {
    "a.png": np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
    "b.png": np.arange(100, 106, dtype=np.uint8).reshape(1, 2, 3),
    "c.png": np.arange(50, 62, dtype=np.uint8).reshape(3, 4, 1),
}


def example(name, array, **changes):
    """A serialized record as RAILS writes it; a change to None leaves a feature out."""
    height, width, depth = array.shape
    values = {
        "image_filename": name.encode(),
        "image_raw": array.tobytes(),
        "height": height,
        "width": width,
        "depth": depth,
        "label": 0,
        "class_name": b"STONE" if name < "b" else b"GRASS",
    } | changes
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, bytes)
        else tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        for key, value in values.items()
        if value is not None
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write(path, *records):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record)
    return path


def scan(folder, pattern=None):
    return sources.scan(folder, None, Grouping(pattern, False))


def three():
    return [example(name, array) for name, array in PIXELS.items()]


@pytest.mark.parametrize("file", ["all.tfrecord", "all.tfrecords", "all.tfrecord-00000-of-00001"])
def test_listed_records_have_their_pixels(tmp_path, file):
    write(tmp_path / file, *three())
    listing = scan(tmp_path)
    assert listing.classes == ["GRASS", "STONE"]
    assert [(e.filename, e.class_name, e.part, e.group) for e in listing.entries] == [
        ("a.png", "STONE", "", "a.png"),
        ("b.png", "GRASS", "", "b.png"),
        ("c.png", "GRASS", "", "c.png"),
    ]
    for entry in listing.entries:
        array = PIXELS[entry.filename]
        given = images.load(entry, Limits(1000))
        pixels = np.asarray(resizing.decoded(given.data, given.encoding, given.height, given.width))
        np.testing.assert_array_equal(pixels, np.broadcast_to(array, (*array.shape[:2], 3)))


def test_equal_bytes_elsewhere_in_a_record_do_not_mislead(tmp_path):
    # The name holds the key and the pixels, and the features of a map stand in any order.
    tricky = {"image_filename": b"image_raw AB", "image_raw": b"AB\0", "class_name": b"AB"}
    records = [example(f"{i}", np.zeros((1, 1, 3), np.uint8), **tricky) for i in range(20)]
    write(tmp_path / "a.tfrecord", *records, example("z", PIXELS["a.png"]))
    for entry in scan(tmp_path).entries[:20]:
        assert images.load(entry, Limits(1000)).data == b"AB\0"


def test_a_record_that_changes_after_the_listing_is_rejected(tmp_path):
    path = write(tmp_path / "a.tfrecord", *three())
    *_, last = scan(tmp_path).entries
    content = path.read_bytes()
    path.write_bytes(content[:-9] + b"?" + content[-8:])
    with pytest.raises(Rejected, match="damaged: no whole TFRecord"):
        images.load(last, Limits(1000))
    path.write_bytes(content[:-9])
    with pytest.raises(Rejected, match="truncated"):
        images.load(last, Limits(1000))


def test_parts(tmp_path):
    write(tmp_path / "train/1.tfrecord", *three())
    write(tmp_path / "test/1.tfrecord", *three())
    write(tmp_path / "test/2.tfrecord", example("d.png", PIXELS["a.png"]))
    (tmp_path / "README.md").write_text("")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "link.tfrecord").symlink_to("train/1.tfrecord")
    listing = scan(tmp_path)
    # Equal names in both parts are different pictures, as with folders.
    assert [(e.filename, e.part) for e in listing.entries] == [
        *[(f"test/{name}.png", "test") for name in "abcd"],
        *[(f"train/{name}.png", "train") for name in "abc"],
    ]
    assert listing.strays == [("link.tfrecord", "not a regular file")]
    assert listing.ignored == [".hidden", "README.md"]


def test_files_in_the_folder_and_in_parts_are_ambiguous(tmp_path):
    write(tmp_path / "train/1.tfrecord", *three())
    write(tmp_path / "0.tfrecord", *three())
    with pytest.raises(UserError, match=r"directly in it \(0.tfrecord\) and in parts \(train/1"):
        scan(tmp_path)


def test_equal_names_get_their_class_in_front(tmp_path):
    array = PIXELS["a.png"]
    records = [example("1.png", array, class_name=name) for name in (b"A", b"A", b"B")] + [
        example("2.png", array, class_name=b"B")
    ]
    write(tmp_path / "x.tfrecord", *records)
    names = [entry.filename for entry in scan(tmp_path).entries]
    assert names == ["A/1.png", "A/1.png", "B/1.png", "B/2.png"]
    assert [e.group for e in scan(tmp_path, r"\d").entries] == ["1", "1", "1", "2"]


def test_the_label_stands_in_for_a_missing_class_name(tmp_path):
    labels = [example(f"{i}", PIXELS["a.png"], class_name=None, label=i) for i in (12, 7, 0, 2)]
    write(tmp_path / "x.tfrecord", *labels)
    assert scan(tmp_path).classes == ["0", "2", "7", "12"]


def test_a_record_without_class_name_has_that_of_its_label(tmp_path):
    named = [example(f"{i}", PIXELS["a.png"], class_name=b"AB"[i : i + 1], label=i) for i in (0, 1)]
    bare = example("bare", PIXELS["a.png"], class_name=None, label=1)
    write(tmp_path / "x.tfrecord", *named, bare)
    assert [entry.class_name for entry in scan(tmp_path).entries] == ["A", "B", "B"]
    unknown = example("c", PIXELS["a.png"], class_name=None, label=2)
    write(tmp_path / "x.tfrecord", *named, unknown)
    with pytest.raises(UserError, match="record c of label 2 has no class_name"):
        scan(tmp_path)


def test_a_record_without_a_label_is_left_out(tmp_path):
    path = tmp_path / "x.tfrecord"
    write(path, *three(), example("n", PIXELS["a.png"], class_name=b"unlabeled", label=7))
    listing = scan(tmp_path)
    assert (listing.classes, listing.strays) == (["GRASS", "STONE"], [("n", "no label")])


def test_a_negative_label_is_no_class(tmp_path):
    write(
        tmp_path / "x.tfrecord", *three(), example("n", PIXELS["a.png"], class_name=None, label=-1)
    )
    with pytest.raises(UserError, match=r"record 3: label must be 0 or more .* got -1"):
        scan(tmp_path)


def test_pixels_of_the_wrong_length_are_for_the_list_of_rejects(tmp_path):
    write(tmp_path / "x.tfrecord", *three(), example("wrong.png", PIXELS["a.png"], height=3))
    with pytest.raises(Rejected, match="of 24 bytes, 3 x 4 x 3 are 36") as refused:
        images.load(scan(tmp_path).entries[-1], Limits(1000))
    assert refused.value.reason == "wrong length"


def test_unreadable_names_are_escaped_or_numbered(tmp_path):
    strange = [example("x", PIXELS["a.png"], image_filename=name) for name in (b"\xff\n", b"")]
    write(tmp_path / "x.tfrecord", *three(), *strange)
    names = {entry.filename for entry in scan(tmp_path).entries}
    assert {"\\xff\\x0a", "x.tfrecord#4"} <= names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"image_raw": None},
            "record 3: no feature 'image_raw' .*this record has class_name, depth",
        ),
        ({"height": None}, "record 3: no feature 'height'"),
        ({"height": b"2"}, "record 3: no feature 'height'"),
        ({"depth": 4}, "record 3: depth must be 1 or 3, got 4"),
        ({"class_name": b"\xff"}, r"record 3: class_name must be text, got '\\xff'"),
    ],
)
def test_records_of_another_schema_are_refused(tmp_path, changes, message):
    write(tmp_path / "x.tfrecord", *three(), example("d", PIXELS["a.png"], **changes))
    with pytest.raises(UserError, match=rf"x.tfrecord, {message}"):
        scan(tmp_path)


def test_what_is_no_record_at_all_is_refused(tmp_path):
    write(tmp_path / "x.tfrecord", *three(), b"\xff\xff\xff")
    with pytest.raises(UserError, match=r"record 3: not a tf.train.Example"):
        scan(tmp_path)


def test_every_cut_is_noticed_but_one_between_two_records(tmp_path):
    whole = write(tmp_path / "x.tfrecord", *three()).read_bytes()
    borders, position = [], 0
    while position < len(whole):
        borders.append(position)
        position += 12 + struct.unpack("<Q", whole[position : position + 8])[0] + 4
    for end in range(1, len(whole), 23):
        if end in borders:
            continue
        (tmp_path / "x.tfrecord").write_bytes(whole[:end])
        record = sum(border < end for border in borders) - 1
        with pytest.raises(UserError, match=f"x.tfrecord, record {record}: damaged or cut off"):
            scan(tmp_path)


def test_a_flipped_byte_is_noticed(tmp_path):
    path = write(tmp_path / "x.tfrecord", *three())
    whole = path.read_bytes()
    for at in range(0, len(whole), 41):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(UserError, match="damaged or cut off"):
            scan(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "x.tfrecord"
    path.write_bytes(b"")
    with pytest.raises(UserError, match="holds no record"):
        scan(tmp_path)


@pytest.mark.parametrize("compression", ["GZIP", "ZLIB"])
def test_compressed_files_are_read(tmp_path, compression):
    path = tmp_path / "x.tfrecord.gz"
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression)) as writer:
        for record in three():
            writer.write(record)
    entries = scan(tmp_path).entries
    assert [entry.filename for entry in entries] == ["a.png", "b.png", "c.png"]
    assert images.load(entries[0], Limits(1000)).data == PIXELS["a.png"].tobytes()
    whole = path.read_bytes()
    for end in (len(whole) - 1, len(whole) - 8, len(whole) // 2):
        path.write_bytes(whole[:end])
        with pytest.raises(UserError, match=r"x.tfrecord.gz: compressed, and damaged or cut off"):
            scan(tmp_path)


def test_gzip_files_one_after_another_are_one(tmp_path):
    path = write(tmp_path / "x.tfrecord", *three())
    whole = path.read_bytes()
    path.write_bytes(gzip.compress(whole) + gzip.compress(whole))
    assert len(scan(tmp_path).entries) == 6


def test_other_files_are_called_by_their_name(tmp_path):
    (tmp_path / "x.tfrecord").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(UserError, match="no TFRecord but a ZIP archive; unpack or convert it"):
        scan(tmp_path)


@pytest.mark.parametrize(
    "file",
    [
        "a.tfrec",
        "a.TFRecord",
        "a.tfr",
        "a-00000-of-00010",
        "in/to/a.tfrecord-1-of-2",
        "a.tfrec.gz",
    ],
)
def test_usual_names_of_files(tmp_path, file):
    write(tmp_path / file, *three())
    assert len(scan(tmp_path).entries) == 3


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        (["train/a.tfrec", "val/a.tfrec", "test/a.tfrec"], ["test", "train", "validation"]),
        (["x/Training/a.tfrec", "x/dev/a.tfrec"], ["train", "validation"]),
        (["train.tfrecord", "valid.tfrecord"], ["train", "validation"]),
        (["set-train.tfrecord-0-of-1", "set-test.tfrecord-0-of-1"], ["test", "train"]),
        (["train-00000-of-00002", "train-00001-of-00002"], [""]),
        (["a.tfrecord", "b.tfrecord"], [""]),
    ],
)
def test_parts_of_folders_and_files(tmp_path, files, parts):
    for number, file in enumerate(files):
        write(tmp_path / file, *three(), example(f"{number}", PIXELS["a.png"]))
    listing = scan(tmp_path)
    assert sorted({entry.part for entry in listing.entries}) == parts
    assert len(listing.entries) == 4 * len(files)


def test_a_file_of_no_part_beside_others_is_ambiguous(tmp_path):
    for file in ("train.tfrecord", "test.tfrecord", "more.tfrecord"):
        write(tmp_path / file, *three())
    with pytest.raises(UserError, match=r"say test and train, that of more.tfrecord does not"):
        scan(tmp_path)
    alone = Grouping(None, False)
    listing = sources.scan(tmp_path, None, alone, {"more.tfrecord": "validation"})
    assert {entry.part for entry in listing.entries} == {"train", "test", "validation"}
    assert {entry.part for entry in sources.scan(tmp_path, None, alone, {}).entries} == {""}
