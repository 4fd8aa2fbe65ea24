import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trackbed.ingest import portions
from trackbed.ingest.entries import Entry, Picture, RawPixels, Rejected
from trackbed.ingest.limits import Limits


@pytest.fixture
def entries(tmp_path):
    """Pictures of 8 x 8 pixels that will be stored raw, 192 bytes each, and an empty file."""
    for number in range(7):
        pixels = np.full((8, 8, 3), number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.bmp")
    (tmp_path / "3.bmp").write_bytes(b"")
    return [Entry(f"{n}.bmp", "A", "", "", tmp_path / f"{n}.bmp") for n in range(7)]


def lengths(entries):
    return [len(portion) for portion in portions.portions(entries)]


def test_a_portion_ends_with_the_number_of_pictures(entries, monkeypatch):
    monkeypatch.setattr(portions, "PICTURES", 3)
    assert [entry for portion in portions.portions(entries) for entry in portion] == entries
    assert lengths(entries) == [3, 3, 1]
    assert lengths([]) == []


def test_a_portion_ends_with_the_bytes_of_its_files(entries, monkeypatch):
    assert entries[0].path.stat().st_size == 246
    monkeypatch.setattr(portions, "FILE_BYTES", 2 * 246)
    assert lengths(entries) == [2, 3, 2]  # the fourth file is empty
    entries[0].path.unlink()
    assert lengths(entries) == [3, 3, 1]


def test_pixels_in_a_tfrecord_count_alone(monkeypatch):
    raw = RawPixels(offset=0, length=300, height=10, width=10, depth=3)
    entries = [Entry("a", "A", "", "", Path("shard"), raw=raw)] * 5
    monkeypatch.setattr(portions, "FILE_BYTES", 600)
    assert lengths(entries) == [2, 2, 1]


def test_every_entry_becomes_a_picture_or_a_reason(entries):
    outcomes = portions.Checking(Limits(100), crop_margin=0)(entries)
    assert [type(outcome) for outcome in outcomes] == [Picture] * 3 + [Rejected] + [Picture] * 3
    assert outcomes[5].data == bytes([5] * 192)
    outcomes = portions.Checking(Limits(63), crop_margin=0)(entries)
    assert {outcome.reason for outcome in outcomes} == {"too many pixels", "empty"}


def test_no_more_is_kept_than_fits(entries, monkeypatch):
    monkeypatch.setattr(portions, "RESULT_BYTES", 2 * 192)
    checking = portions.Checking(Limits(100), crop_margin=0)
    assert len(checking(entries)) == 2
    assert len(checking(entries[2:])) == 3  # one of them empty


def test_reason_and_detail_survive_the_way_to_another_process():
    there = pickle.loads(pickle.dumps(Rejected("too many pixels", "9 x 9, allowed are 80")))
    assert (there.reason, there.detail) == ("too many pixels", "9 x 9, allowed are 80")
    assert str(there) == "too many pixels: 9 x 9, allowed are 80"
