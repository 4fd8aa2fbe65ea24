import io
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recorded import random_pictures, stored, written

from trackbed.dataset import recording
from trackbed.dataset.schema import Entry
from trackbed.pipeline.errors import UserError
from trackbed.records import pixel_memory, reader


def test_pixels_come_back_as_they_were_in_the_order_of_the_rows(tmp_path):
    entries, pictures, images = random_pictures(1)
    pairs = [(entries[0], picture) for picture in pictures * 3]
    table = recording.write(tmp_path, pairs, ["A"], 10**6)
    found = reader.pixels(tmp_path, table.iloc[[2, 0]], *images[0].shape[:2])
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.stack([images[0]] * 2))
    table, images = written(tmp_path)
    rows = table.iloc[[6, 1, 4]]
    shrunk = reader.pixels(tmp_path, rows, 4, 6)
    for row, image in zip([6, 1, 4], shrunk, strict=True):
        pillow = Image.fromarray(images[row]).resize((6, 4), Image.Resampling.BILINEAR)
        # Pillow antialiases too; its filter is quantised.
        assert np.abs(np.asarray(pillow).astype(int) - image).max() <= 2


def test_jpeg_is_decoded_as_pillow_does(tmp_path):
    ramp = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
    picture = stored(ramp, "jpeg")
    entry = Entry("A/1.jpg", "A", "", "g", Path("x"))
    table = recording.write(tmp_path, [(entry, picture)], ["A"], 10**6)
    pillow = np.asarray(Image.open(io.BytesIO(picture.data))).astype(int)
    assert np.abs(reader.pixels(tmp_path, table, 48, 64)[0] - pillow).max() <= 2


def test_a_large_jpeg_is_reduced_as_pillow_drafts_it(tmp_path):
    """What docs/records.md tells users of the model to do gives what it was trained on."""
    waves = np.sin(np.arange(300 * 400) / 7).reshape(300, 400, 1) * [90, 60, 30]
    picture = stored((128 + waves).astype(np.uint8), "jpeg")
    entry = Entry("A/1.jpg", "A", "", "g", Path("x"))
    table = recording.write(tmp_path, [(entry, picture)], ["A"], 10**6)
    drafted = Image.open(io.BytesIO(picture.data))
    drafted.draft("RGB", (90, 60))
    assert drafted.size == (100, 75)
    pillow = np.asarray(drafted.resize((90, 60), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(reader.pixels(tmp_path, table, 60, 90)[0] - pillow).max() <= 1


@pytest.mark.parametrize("joined", [False, True])
def test_a_stored_image_is_what_was_put_in(tmp_path, joined):
    table, images = written(tmp_path)
    if joined:  # as index.assigned gives it; the record has the group of before
        table = table.assign(named_group=table["group"], group="joined")
    for row, image in zip(table.to_dict("records"), images, strict=True):
        np.testing.assert_array_equal(reader.stored_image(tmp_path, row), image)


def test_many_rows_of_many_shards_all_find_their_place(tmp_path):
    """More than a thread reads at a time, in any order, some of them twice."""
    entries, pictures, images = random_pictures(5)
    pairs = [(entries[n % 5], pictures[n % 5]) for n in range(100)]
    table = recording.write(tmp_path, pairs, ["A", "B"], 20_000)
    assert table["shard"].nunique() > 1
    order = np.random.default_rng(1).integers(0, 100, 90)
    found = reader.pixels(tmp_path, table.iloc[order], 8, 12)
    alone = [reader.pixels(tmp_path, table.iloc[[n]], 8, 12)[0] for n in range(5)]
    np.testing.assert_array_equal(found, np.stack([alone[n % 5] for n in order]))
    np.testing.assert_array_equal(alone[0], images[0])


def test_no_row_gives_no_image(tmp_path):
    table, _ = written(tmp_path)
    assert reader.pixels(tmp_path, table.iloc[:0], 8, 9).shape == (0, 8, 9, 3)


@pytest.mark.parametrize("damage", ["cut between records", "flipped byte", "missing"])
def test_a_damaged_shard_is_refused_by_name(tmp_path, damage):
    table, _ = written(tmp_path)
    last = table.iloc[-1]
    path = tmp_path / last["shard"]
    data = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "flipped byte":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(data[: last["offset"]])
    with pytest.raises(UserError, match=rf"{last['shard']}: damaged"):
        reader.pixels(tmp_path, table, 8, 8)


def test_a_shard_that_is_damaged_after_it_was_read_is_refused(tmp_path):
    table, _ = written(tmp_path)
    path = tmp_path / table["shard"].iloc[0]
    os.utime(path, (0, 0))  # clocks of file systems are coarse
    reader.pixels(tmp_path, table, 8, 8)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=rf"{path.name}: damaged"):
        reader.pixels(tmp_path, table, 8, 8)


def test_shards_without_a_wanted_row_are_not_read(tmp_path):
    table, images = written(tmp_path)
    first = table[table["shard"] == table["shard"].iloc[0]]
    assert len(first) < len(table)
    (tmp_path / table["shard"].iloc[-1]).unlink()
    found = reader.pixels(tmp_path, first.iloc[[0]], *images[0].shape[:2])
    np.testing.assert_array_equal(found[0], images[0])


def test_a_picture_that_cannot_be_decoded_is_named(tmp_path):
    entries, pictures, _ = random_pictures(2)
    pictures[1] = replace(pictures[1], data=b"no picture at all")
    table = recording.write(tmp_path, zip(entries, pictures, strict=True), ["A", "B"], 10**6)
    with pytest.raises(UserError, match=r"part-00000\.tfrecord, record 1 \(B/01\.png\): expected"):
        reader.pixels(tmp_path, table, 8, 8)


def test_images_beyond_the_memory_lie_in_a_file(tmp_path, monkeypatch):
    table, _ = written(tmp_path)
    inside = reader.pixels(tmp_path, table, 8, 8)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pixel_memory, "SHARE_OF_MEMORY", 0)
    outside = reader.pixels(tmp_path, table, 8, 8)
    assert isinstance(outside, np.memmap)
    np.testing.assert_array_equal(outside, inside)
    assert not list((tmp_path / ".cache").iterdir())


def test_parts_of_a_reading_are_what_is_read_at_once(tmp_path):
    table, _ = written(tmp_path)
    expected = reader.pixels(tmp_path, table, 4, 6)
    order = np.array([6, 1, 1, 3])
    with reader.Reading(tmp_path, table, 4, 6, order) as reading:
        first, second = reading.part(0, 5), reading.part(5, 7)
        assert (first.shape, first.ndim, first.dtype, len(second)) == ((5, 4, 6, 3), 4, np.uint8, 2)
        np.testing.assert_array_equal(second[1:], expected[6:])
        np.testing.assert_array_equal(first[np.array([3, 0, 3])], expected[[3, 0, 3]])
        np.testing.assert_array_equal(second[0], expected[5])
    np.testing.assert_array_equal(reading.array, expected)


def test_rows_are_read_in_the_order_of_their_first_use():
    order = reader.first_uses(np.array([4, 2, 4, 0, 2]), rows=6)
    assert order.tolist() == [4, 2, 0, 1, 3, 5]


def test_a_reading_begins_with_whole_shards_alone(tmp_path):
    table, _ = written(tmp_path)
    path = tmp_path / table["shard"].iloc[-1]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    before = threading.active_count()
    with (
        pytest.raises(UserError, match=rf"{path.name}: damaged"),
        reader.Reading(tmp_path, table, 8, 8),
    ):
        pytest.fail("was entered")
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, LookupError])
def test_no_thread_goes_on_reading_after_an_error(tmp_path, error):
    table, _ = written(tmp_path)
    before = threading.active_count()
    with pytest.raises(error), reader.Reading(tmp_path, table, 8, 8):
        raise error
    assert threading.active_count() == before
