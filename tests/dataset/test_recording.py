import io
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from recorded import random_pictures, stored, written

from trackbed.dataset import recording
from trackbed.dataset.schema import Entry
from trackbed.pipeline import index
from trackbed.records import integrity, resizing


def test_the_index_describes_the_records_in_their_order(tmp_path):
    table, images = written(tmp_path)
    assert table["record"].tolist() == list(range(7))
    assert table["filename"].tolist()[:2] == ["A/00.png", "B/01.png"]
    assert table["label"].tolist() == [0, 1, 0, 1, 0, 1, 0]
    assert table["height"].tolist() == [image.shape[0] for image in images]
    index.INDEX_TABLE.write(tmp_path, table)
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


def test_a_shard_that_is_full_to_the_byte_is_closed(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    entries = [Entry(f"A/{n}.png", "A", "", "g", Path("x")) for n in range(5)]
    pictures = [(entry, stored(pixels, "raw")) for entry in entries]
    (length,) = recording.write(tmp_path, pictures, ["A"], 10**6)["length"].unique()
    for size, per_shard in ((2 * length, 2), (2 * length - 1, 2), (2 * length + 1, 3)):
        table = recording.write(tmp_path, pictures, ["A"], int(size))
        assert table.groupby("shard").size().iloc[0] == per_shard


def test_names_that_hold_the_image_do_not_mislead(tmp_path):
    pixels = np.frombuffer(b"ABC", np.uint8).reshape(1, 1, 3)
    entry = Entry("image_raw ABC", "ABC", "", "image_raw ABC", Path("x"))
    table = recording.write(tmp_path, [(entry, stored(pixels, "raw"))], ["ABC"], 10**6)
    [serialized] = tf.data.TFRecordDataset(str(tmp_path / table["shard"][0])).as_numpy_iterator()
    # Map entries are sorted: of those with the pixels, the image is the last.
    assert table["image_offset"][0] == 12 + serialized.rindex(b"ABC")


def test_plain_tensorflow_reads_the_records_in_the_rails_schema(tmp_path):
    table, _ = written(tmp_path)
    files = [str(tmp_path / name) for name in table["shard"].unique()]
    assert len(files) > 1
    found = []
    for serialized in tf.data.TFRecordDataset(files):
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


def test_the_shards_are_what_tensorflow_would_write(tmp_path):
    table, _ = written(tmp_path)
    for name in table["shard"].unique():
        with tf.io.TFRecordWriter(str(tmp_path / "again.tfrecord")) as writer:
            for serialized in tf.data.TFRecordDataset(str(tmp_path / name)).as_numpy_iterator():
                example = tf.train.Example.FromString(serialized)
                writer.write(example.SerializeToString(deterministic=True))
        assert (tmp_path / name).read_bytes() == (tmp_path / "again.tfrecord").read_bytes()


def test_offset_and_length_frame_the_tfrecord(tmp_path):
    table, _ = written(tmp_path)
    for _, rows in table.groupby("shard"):
        ends = (rows["offset"] + rows["length"]).tolist()
        assert rows["offset"].tolist() == [0, *ends[:-1]]
        assert (tmp_path / rows["shard"].iloc[0]).stat().st_size == ends[-1]


def test_the_list_of_shards_counts_their_records(tmp_path):
    table, _ = written(tmp_path)
    listed = index.SHARDS_TABLE.read(tmp_path)
    assert listed["shard"].tolist() == table["shard"].unique().tolist()
    assert listed["records"].tolist() == table.groupby("shard").size().tolist()
    integrity.check(tmp_path, listed["shard"])


def test_the_same_pictures_give_the_same_bytes(tmp_path):
    entries, pictures, _ = random_pictures(4)
    contents = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        recording.write(folder, zip(entries, pictures, strict=True), ["A", "B"], 10**6)
        contents.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert contents[0] == contents[1]


def test_leaving_records_out_gives_what_writing_the_others_gives(tmp_path):
    entries, pictures, _ = random_pictures(7)
    pairs = list(zip(entries, pictures, strict=True))
    for name in ("all", "others"):
        (tmp_path / name).mkdir()
    table = recording.write(tmp_path / "all", pairs, ["A", "B"], 2000)
    kept = recording.rewrite_without(tmp_path / "all", table, {0, 3, 6}, 2000)
    others = [pair for number, pair in enumerate(pairs) if number not in {0, 3, 6}]
    expected = recording.write(tmp_path / "others", others, ["A", "B"], 2000)
    pd.testing.assert_frame_equal(kept, expected)
    files = {path.name: path.read_bytes() for path in (tmp_path / "others").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir()} == files


def test_rejected_records_are_found_by_their_index(tmp_path):
    table, images = written(tmp_path)
    rows = recording.write_rejected_records(tmp_path, table, {1, 4, 5})
    assert rows["record"].tolist() == [1, 4, 5]
    for row in rows.itertuples():
        with (tmp_path / row.shard).open("rb") as file:
            file.seek(row.image_offset)
            found = resizing.decoded(
                file.read(row.image_length), row.encoding, row.height, row.width
            )
        np.testing.assert_array_equal(found, images[row.record])
    assert not list(tmp_path.glob("rejected*.tfrecord"))
