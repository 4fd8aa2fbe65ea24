import re
import shutil
from itertools import pairwise

import pandas as pd
import pytest
from recorded import written

from trackbed.pipeline import index
from trackbed.pipeline.errors import Damaged
from trackbed.records import reader, record_features


@pytest.fixture
def written_records(tmp_path):
    """A folder of two shards and its index, of raw pictures and PNGs in turn."""
    table, _ = written(tmp_path)
    assert table["shard"].nunique() > 1
    assert table["encoding"].tolist()[:2] == ["raw", "png"]
    return tmp_path, table


def refusal(folder, table):
    with pytest.raises(Damaged) as refused:
        reader.pixels(folder, table, 8, 8)
    return str(refused.value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"offset": -1}, "lies outside of its shard"),
        ({"offset": 10**9}, "lies outside of its shard"),
        ({"length": 0}, "lies outside of its shard"),
        ({"length": 10**9}, "lies outside of its shard"),
        ({"image_offset": 0}, "has an image outside of the record"),
        ({"image_length": -1}, "has an image outside of the record"),
        ({"image_length": 10**9}, "has an image outside of the record"),
        ({"encoding": "gif"}, "has no such encoding"),
        ({"height": 0}, "has sides below 1"),
        ({"width": 1}, "has pixels of the wrong length"),
        ({"height": 10**6}, "has pixels of the wrong length"),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_file_and_record(written_records, changes, fault):
    folder, table = written_records
    last_raw = table.index[table["encoding"] == "raw"][-1]
    for name, value in changes.items():
        table.loc[last_raw, name] = value
    if "image_offset" in changes:
        table.loc[last_raw, "image_offset"] = table.loc[last_raw, "offset"]
    found = refusal(folder, table)
    name = table.loc[last_raw, "filename"]
    assert f"index.csv: record {last_raw} ({name}; part-" in found
    assert fault in found
    assert "Run `dvc repro -f build_tfrecord`" in found


def test_an_image_before_or_behind_its_record_is_refused(written_records):
    folder, table = written_records
    for name, by in (("image_offset", -5000), ("image_offset", 5000), ("image_length", 5000)):
        other = table.copy()
        other.loc[1, name] += by
        assert "record 1 (B/01.png;" in refusal(folder, other)


def test_an_image_that_reaches_into_the_checksums_is_refused(written_records):
    """12 bytes of the frame lie before the data of a TFRecord, 4 behind them."""
    folder, table = written_records
    start, end = table.loc[1, "offset"] + 12, table.loc[1, "offset"] + table.loc[1, "length"] - 4
    for first, last, fits in [(0, 0, True), (-1, 0, False), (0, 1, False), (0, 4, False)]:
        other = table.copy()
        other.loc[1, "image_offset"] = start + first
        other.loc[1, "image_length"] = end + last - start - first
        fault = "is another one in its shard" if fits else "has an image outside of the record"
        assert fault in refusal(folder, other)


def test_overlapping_records_are_refused(written_records):
    folder, table = written_records
    table.loc[1, "offset"] -= 8
    assert "record 1 (B/01.png;" in refusal(folder, table)
    assert "overlaps another record" in refusal(folder, table)


def test_a_record_may_be_asked_for_twice(written_records):
    folder, table = written_records
    assert len(reader.pixels(folder, pd.concat([table, table]), 8, 8)) == 2 * len(table)


PLACE = ["shard", "offset", "length", "image_offset", "image_length"]


def test_two_records_that_are_swapped_in_the_index_are_refused(written_records):
    """Places of raw pictures of the same size: nothing else would tell."""
    folder, table = written_records
    for first, second in pairwise(table.index):
        swapped = table.copy()
        swapped.loc[first, PLACE] = table.loc[second, PLACE]
        swapped.loc[second, PLACE] = table.loc[first, PLACE]
        same = ["height", "encoding"]
        swapped[same] = table[same].iloc[[second if n == first else first if n == second else n
                                          for n in table.index]].to_numpy()  # fmt: skip
        assert re.search(rf"record [{first}{second}] \(", refusal(folder, swapped))
        assert "is another one in its shard" in refusal(folder, swapped)


@pytest.mark.parametrize(
    ("column", "value"),
    [("label", 1), ("class_name", "B"), ("filename", "A/x.png"), ("group", "g9"), ("label", 7)],
)
def test_a_row_that_differs_from_its_record_is_refused(written_records, column, value):
    folder, table = written_records
    table.loc[2, column] = value
    assert "is another one in its shard" in refusal(folder, table)


def test_a_group_that_the_split_joined_is_no_other_record(written_records):
    folder, table = written_records
    joined = table.assign(named_group=table["group"], group="joined")
    assert len(reader.pixels(folder, joined, 8, 12)) == len(table)


@pytest.mark.parametrize("damage", ["doubled", "swapped", "cut at a border", "cut", "flipped"])
def test_a_shard_that_is_not_as_written_is_refused_by_name(written_records, damage):
    folder, table = written_records
    first, second = (folder / name for name in table["shard"].unique()[:2])
    data = first.read_bytes()
    if damage == "swapped":
        first.rename(folder / "apart")
        second.rename(first)
        (folder / "apart").rename(second)
    else:
        border = table[table["shard"] == first.name]["offset"].iloc[-1]
        changed = {
            "doubled": data * 2,
            "cut at a border": data[:border],
            "cut": data[:-1],
            "flipped": data[:99] + bytes([data[99] ^ 1]) + data[100:],
        }
        first.write_bytes(changed[damage])
    assert f"{first}: damaged" in refusal(folder, table)


def test_a_shard_copied_over_another_is_refused(written_records, tmp_path):
    """Somebody mended shards.csv to fit."""
    folder, table = written_records
    first, second = table["shard"].unique()[:2]
    shutil.copy(folder / second, folder / first)
    known = index.SHARDS_TABLE.read(folder)
    known.loc[0, ["records", "bytes", "sha256"]] = known.loc[1, ["records", "bytes", "sha256"]]
    index.SHARDS_TABLE.write(folder, known)
    table = table[table["record"] < 2]  # as long as there are in the other
    assert re.search(
        r"index.csv: record [01] .* is (another one|no whole TFRecord)", refusal(folder, table)
    )


def test_a_shard_that_is_not_listed_is_refused(written_records):
    folder, table = written_records
    table.loc[0, "shard"] = "../elsewhere.tfrecord"
    assert "the index names ../elsewhere.tfrecord, shards.csv does not" in refusal(folder, table)
    (folder / "shards.csv").write_text("shard,records\npart-00000.tfrecord,1\n")
    assert "shards.csv: columns are ['shard', 'records']" in refusal(folder, table)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({1: -1}, r"record 1 \(B/01.png\) has label -1"),
        ({1: 2, 3: 2, 5: 2}, r"record 1 \(B/01.png\) has label 2 and class 'B'; labels are 0 to 1"),
        ({3: 0}, r"record 3 \(B/03.png\) has label 0 and class 'B'"),
    ],
)
def test_labels_out_of_range_or_of_two_classes_are_refused(written_records, changes, fault):
    folder, table = written_records
    for row, label in changes.items():
        table.loc[row, "label"] = label
    index.INDEX_TABLE.write(folder, table)
    with pytest.raises(Damaged, match=fault):
        index.read(folder)


def test_an_index_that_is_cut_between_two_rows_is_refused(written_records):
    folder, table = written_records
    index.INDEX_TABLE.write(folder, table.iloc[:-1])
    folds = table.iloc[:-1].assign(part="train", fold=0)
    index.FOLDS_TABLE.write(folder, folds)
    with pytest.raises(Damaged, match=r"index.csv: 6 rows, the shards hold 7 records"):
        index.assigned(folder, folder)


def test_what_is_compared_is_what_is_written():
    assert set(record_features.FEATURES) <= set(index.INDEX_TABLE.columns)
