import io
import re
import zlib

import numpy as np
import pytest
import tensorflow as tf

from trackbed.records import tfrecord

FEATURES = {
    "image_raw": bytes(range(256)) * 80,
    "image_filename": "Größe/日本.jpg",
    "height": 150,
    "label": 0,
    "below": -1,
    "far": 2**62,
    "group": "",
    "none": b"",
}


def by_tensorflow(features):
    """The same tf.train.Example, serialized by TensorFlow."""

    def feature(value):
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        data = value.encode() if isinstance(value, str) else value
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[data]))

    named = {name: feature(value) for name, value in features.items()}
    example = tf.train.Example(features=tf.train.Features(feature=named))
    return example.SerializeToString(deterministic=True)


def test_an_example_has_the_bytes_that_tensorflow_writes():
    assert tfrecord.example(FEATURES) == by_tensorflow(FEATURES)
    backwards = dict(reversed(FEATURES.items()))
    assert tfrecord.example(backwards) == by_tensorflow(FEATURES)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 2**14, 10**6])
def test_a_frame_has_the_bytes_that_tensorflow_writes(tmp_path, length):
    data = np.random.default_rng(length).bytes(length)
    with tf.io.TFRecordWriter(str(tmp_path / "written.tfrecord")) as writer:
        writer.write(data)
    header, footer = tfrecord.frame(data)
    assert header + data + footer == (tmp_path / "written.tfrecord").read_bytes()


def test_a_value_is_found_between_others_that_are_the_same():
    features = {"b": b"same", "label": 7, "a": b"same", "image": b"same", "z": "same"}
    data = tfrecord.example(features)
    starts = [match.start() for match in re.finditer(b"same", data)]
    assert len(starts) == 4
    assert len(data) - tfrecord.bytes_after(features, "image") - len(b"same") == starts[2]


def test_an_example_of_tensorflow_is_parsed():
    expected = {key: value.encode() if isinstance(value, str) else value
                for key, value in FEATURES.items()}  # fmt: skip
    assert tfrecord.parse_example(by_tensorflow(FEATURES)) == expected


def test_a_feature_without_a_single_value_is_none():
    values = {"two": [1, 2], "no": []}
    named = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        for name, value in values.items()
    }
    named["float"] = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5]))
    example = tf.train.Example(features=tf.train.Features(feature=named))
    parsed = tfrecord.parse_example(example.SerializeToString())
    assert parsed == dict.fromkeys(["two", "no", "float"])


def test_bytes_that_are_no_example_are_refused():
    with pytest.raises(ValueError, match=r"no tf\.train\.Example"):
        tfrecord.parse_example(b"\xff\xff\xff")


def test_every_flipped_bit_and_every_cut_of_a_record_is_noticed():
    header, footer = tfrecord.frame(b"picture")
    record = header + b"picture" + footer
    assert tfrecord.unframe(record) == b"picture"
    flipped = [
        record[:at] + bytes([record[at] ^ 4]) + record[at + 1 :] for at in range(len(record))
    ]
    for damaged in (*flipped, *(record[:end] for end in range(len(record))), record + b"x"):
        with pytest.raises(ValueError, match="no whole TFRecord"):
            tfrecord.unframe(damaged)


def test_records_of_a_file_one_after_another():
    whole = b"".join(
        b"".join([start, data, end])
        for data in (b"one", b"", b"three")
        for start, end in [tfrecord.frame(data)]
    )
    assert list(tfrecord.records(io.BytesIO(whole))) == [(0, b"one"), (19, b""), (35, b"three")]
    for end in (11, 20, len(whole) - 1):
        with pytest.raises(ValueError, match="no whole TFRecord"):
            list(tfrecord.records(io.BytesIO(whole[:end])))


def test_a_file_of_zlib_is_unpacked_and_a_plain_one_is_not_copied(tmp_path):
    path = tmp_path / "x.tfrecord"
    path.write_bytes(zlib.compress(b"content"))
    assert tfrecord.plain_file(path).read_bytes() == b"content"
    # A length of 40,056 bytes, whose first two are those of a ZLIB stream.
    path.write_bytes(tfrecord.frame(bytes(0x9C78))[0])
    assert tfrecord.plain_file(path) == path
