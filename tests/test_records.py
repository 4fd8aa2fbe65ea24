import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from trackbed import index
from trackbed.ingest import records
from trackbed.ingest.images import Picture
from trackbed.ingest.sources import Entry
from trackbed.problems import Problem

RANDOM = np.random.default_rng(0)


def stored(pixels, encoding):
    """A picture as the check of the source hands it over."""
    data = pixels.tobytes()
    if encoding != "raw":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, encoding)
        data = buffer.getvalue()
    height, width, _ = pixels.shape
    return Picture(data, encoding, encoding.upper(), height, width, "0" * 64, "0" * 16)


def drawn(count):
    """Entries, their pictures in turning encodings, and the pixels that were put in."""
    entries, pictures, images = [], [], []
    for number in range(count):
        pixels = RANDOM.integers(0, 256, (8 + number, 12, 3), dtype=np.uint8)
        name = "AB"[number % 2]
        entries.append(Entry(f"{name}/{number:02d}.png", name, "", f"g{number // 3}", Path("x")))
        pictures.append(stored(pixels, ("raw", "png")[number % 2]))
        images.append(pixels)
    return entries, pictures, images


def written(folder, count=7, shard_bytes=2000):
    entries, pictures, images = drawn(count)
    pairs = zip(entries, pictures, strict=True)
    return records.write(folder, pairs, ["A", "B"], shard_bytes), images


def test_the_index_describes_the_records_in_their_order(tmp_path):
    table, images = written(tmp_path)
    assert table["record"].tolist() == list(range(7))
    assert table["filename"].tolist()[:2] == ["A/00.png", "B/01.png"]
    assert table["label"].tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert table["height"].tolist() == [image.shape[0] for image in images]
    index.write(tmp_path, table)
    pd.testing.assert_frame_equal(index.read(tmp_path), table)


def test_image_offset_and_length_point_at_the_image(tmp_path):
    table, images = written(tmp_path)
    for row, image in zip(table.itertuples(), images, strict=True):
        shard = (tmp_path / row.shard).read_bytes()
        data = shard[row.image_offset : row.image_offset + row.image_length]
        if row.encoding == "raw":
            assert data == image.tobytes()
        else:
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), image)


def test_plain_tensorflow_reads_the_records_in_the_rails_schema(tmp_path):
    table, _ = written(tmp_path)
    shards = [str(tmp_path / name) for name in table["shard"].unique()]
    assert len(shards) > 1
    found = []
    for serialized in tf.data.TFRecordDataset(shards):
        feature = tf.train.Example.FromString(serialized.numpy()).features.feature
        found.append(
            (
                feature["image_filename"].bytes_list.value[0].decode(),
                feature["class_name"].bytes_list.value[0].decode(),
                feature["label"].int64_list.value[0],
                feature["depth"].int64_list.value[0],
            )
        )
    columns = table[["filename", "class_name", "label"]].itertuples(index=False)
    assert found == [(*row, 3) for row in columns]


def test_offset_and_length_frame_the_tfrecord(tmp_path):
    table, _ = written(tmp_path)
    for _, rows in table.groupby("shard"):
        ends = (rows["offset"] + rows["length"]).tolist()
        assert rows["offset"].tolist() == [0, *ends[:-1]]
        assert (tmp_path / rows["shard"].iloc[0]).stat().st_size == ends[-1]


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    entries, pictures, _ = drawn(4)
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        records.write(folder, zip(entries, pictures, strict=True), ["A", "B"], 10**6)
        contents.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert contents[0] == contents[1]


def test_pixels_come_back_as_they_were_in_the_order_of_the_rows(tmp_path):
    entries, pictures, images = drawn(1)
    pairs = [(entries[0], picture) for picture in pictures * 3]
    table = records.write(tmp_path, pairs, ["A"], 10**6)
    found = records.pixels(tmp_path, table.iloc[[2, 0]], *images[0].shape[:2])
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.stack([images[0]] * 2))
    table, images = written(tmp_path)
    rows = table.iloc[[6, 1, 4]]
    shrunk = records.pixels(tmp_path, rows, 4, 6)
    for row, image in zip([6, 1, 4], shrunk, strict=True):
        pillow = Image.fromarray(images[row]).resize((6, 4), Image.Resampling.BILINEAR)
        # Pillow antialiases too; its filter is quantised.
        assert np.abs(np.asarray(pillow).astype(int) - image).max() <= 2


def test_jpeg_is_decoded_as_pillow_does(tmp_path):
    ramp = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
    picture = stored(ramp, "jpeg")
    entry = Entry("A/1.jpg", "A", "", "g", Path("x"))
    table = records.write(tmp_path, [(entry, picture)], ["A"], 10**6)
    pillow = np.asarray(Image.open(io.BytesIO(picture.data))).astype(int)
    assert np.abs(records.pixels(tmp_path, table, 48, 64)[0] - pillow).max() <= 2


def test_a_grey_rails_record_becomes_rgb():
    grey = RANDOM.integers(0, 256, (5, 4, 1), dtype=np.uint8)
    number = {"height": 5, "width": 4, "depth": 1, "label": 0}
    feature = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        for name, value in number.items()
    }
    raw = tf.train.BytesList(value=[grey.tobytes()])
    feature["image_raw"] = tf.train.Feature(bytes_list=raw)
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    image = records.decoded(example.SerializeToString())
    np.testing.assert_array_equal(image, np.repeat(grey, 3, axis=2))


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
    with pytest.raises(Problem, match=rf"{last['shard']}: damaged"):
        records.pixels(tmp_path, table, 8, 8)


def test_images_beyond_the_memory_lie_in_a_file(tmp_path, monkeypatch):
    table, _ = written(tmp_path)
    inside = records.pixels(tmp_path, table, 8, 8)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "SHARE_OF_MEMORY", 0)
    outside = records.pixels(tmp_path, table, 8, 8)
    assert isinstance(outside, np.memmap)
    np.testing.assert_array_equal(outside, inside)
    assert not list((tmp_path / ".cache").iterdir())
