import re

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
    assert len(data) - tfrecord.bytes_behind(features, "image") - len(b"same") == starts[2]
