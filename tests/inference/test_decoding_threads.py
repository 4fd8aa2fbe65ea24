import threading
import time

import evil
import numpy as np
import pytest
from recorded import random_pictures

from trackbed.dataset import recording
from trackbed.inference import decoding_threads, inputs
from trackbed.inference.decoding_threads import Opened, Opener
from trackbed.inference.inputs import Input
from trackbed.pictures.rejections import Limits
from trackbed.records import reader, tfrecord

LIMITS = Limits(10_000, min_side=2, aspect=20)
OPENER = Opener(LIMITS, crop_margin=0.0, side=8)


def record_file(path, *records):
    with path.open("wb") as file:
        for features in records:
            data = tfrecord.example(features)
            header, footer = tfrecord.frame(data)
            file.write(header + data + footer)
    return [OPENER(one) for one in inputs.listed([str(path)], bytes).pictures]


def test_records_of_the_build_have_the_pixels_of_the_reader(tmp_path):
    entries, pictures, _ = random_pictures(7)
    table = recording.write(tmp_path, zip(entries, pictures, strict=True), ["A", "B"], 2000)
    shards = sorted(str(path) for path in tmp_path.glob("*.tfrecord"))
    found = [OPENER(one) for one in inputs.listed(shards, bytes).pictures]
    assert [one.name for one in found] == list(table["filename"])
    expected = reader.pixels(tmp_path, table, 8, 8)
    np.testing.assert_array_equal(np.stack([one.pixels for one in found]), expected)


def test_records_hold_raw_pixels_or_files(tmp_path):
    pixels = np.arange(48, dtype=np.uint8)
    shape = {"height": 4, "width": 4, "depth": 3}
    png = evil.files()["png"]
    found = record_file(
        tmp_path / "a.tfrecord",
        {"image_filename": "raw.png", "image_raw": pixels.tobytes(), **shape},
        {"image_raw": pixels[:16].tobytes(), **shape, "depth": 1},
        {"image_filename": "file", "image_raw": png, "encoding": "png"},
        {"image_filename": "file of RAILS", "image_raw": png, **shape},
        {"image_filename": "alone", "image_raw": png},
    )
    names = [one.name for one in found]
    assert names == ["raw.png", f"{tmp_path}/a.tfrecord#1", "file", "file of RAILS", "alone"]
    assert {one.reason for one in found} == {""}
    for one in found[3:]:
        np.testing.assert_array_equal(one.pixels, found[2].pixels)


def test_wrong_records_are_rejected_one_by_one(tmp_path):
    shape = {"height": 4, "width": 4, "depth": 3}
    found = record_file(
        tmp_path / "a.tfrecord",
        {"image_filename": "no pixels"},
        {"image_filename": "short", "image_raw": bytes(47), **shape},
        {"image_filename": "four", "image_raw": bytes(64), **shape, "depth": 4},
        {"image_filename": "large", "image_raw": bytes(3), "height": 9**9, "width": 9, "depth": 3},
        {"image_filename": "other", "image_raw": b"%PDF-", "encoding": "png"},
        {"image_filename": "a\x1bb", "image_raw": bytes(48), **shape},
    )
    assert [(one.name, one.reason) for one in found] == [
        ("no pixels", "damaged"),
        ("short", "wrong length"),
        ("four", "damaged"),
        ("large", "too many pixels"),
        ("other", "unsupported format"),
        ("a\\x1bb", ""),
    ]


def test_a_flipped_bit_spoils_its_own_record_alone(tmp_path):
    path = tmp_path / "a.tfrecord"
    good = {"image_raw": bytes(48), "height": 4, "width": 4, "depth": 3}
    record_file(path, good, good, good)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = [OPENER(one) for one in inputs.listed([str(path)], bytes).pictures]
    assert [one.reason for one in found] == ["", "damaged", ""]


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_order_is_kept_whatever_the_threads(threads):
    def slow_for_some(source):
        time.sleep(0.002 * (int(source.name) % 3))
        return Opened(source, source.name)

    sources = [Input(str(number), "") for number in range(100)]
    found = decoding_threads.opened(iter(sources), slow_for_some, threads)
    assert [one.name for one in found] == [str(number) for number in range(100)]


def test_few_pictures_are_open_at_a_time():
    taken = []

    def sources():
        for number in range(1000):
            taken.append(number)
            yield Input(str(number), "")

    found = decoding_threads.opened(sources(), lambda one: Opened(one, one.name), threads=2)
    for expected in range(100):
        assert next(found).name == str(expected)
        assert len(taken) <= expected + 1 + 2 * 3 * 8
    found.close()
    assert len(taken) < 200


def test_no_thread_is_left_after_an_error():
    def fails(source):
        raise OSError("gone")

    before = threading.active_count()
    with pytest.raises(OSError, match="gone"):
        list(decoding_threads.opened([Input("1", "")] * 50, fails, threads=4))
    assert threading.active_count() == before
