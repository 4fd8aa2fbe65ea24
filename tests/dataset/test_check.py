import os
import pickle
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trackbed.dataset import check, groups, images, pool, sources
from trackbed.dataset.schema import Entry, Picture, RawPixels
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.pipeline.errors import UserError


@pytest.fixture
def source(tmp_path):
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = np.full((8, 8, 3), 50 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def checked(folder, max_pixels=10**6, workers=1):
    listing = sources.scan(folder, None, groups.Grouping(None, False))
    checking = check.SourceCheck(listing, Limits(max_pixels), crop_margin=0, workers=workers)
    return checking, [entry.filename for entry, _ in checking.accepted()]


def test_every_file_is_accepted_rejected_or_ignored(source):
    (source / "A" / "9.png").touch()
    (source / "B" / "note.png").write_text("no picture")
    (source / "stray.png").write_bytes((source / "A" / "0.png").read_bytes())
    (source / "B" / ".DS_Store").touch()
    checking, accepted = checked(source)
    assert accepted == [f"{name}/{number}.png" for name in "AB" for number in range(4)]
    rejects = checking.rejects()
    assert rejects[["filename", "reason"]].values.tolist() == [
        ["A/9.png", "empty"],
        ["B/note.png", "not an image"],
        ["stray.png", "no class"],
    ]
    assert checking.counts() == {
        "seen": 12,
        "accepted": 8,
        "rejected": 3,
        "ignored": 1,
        "classes": 2,
    }
    assert checking.summary() == "12 files: 8 accepted, 3 rejected, 1 ignored; 2 classes"


def test_too_many_rejects_fail_with_their_reasons(source):
    for number in range(3):
        (source / "A" / f"empty{number}.png").touch()
    (source / "A" / "text.png").write_text("no picture")
    checking, _ = checked(source)
    checking.refuse_too_many_rejects(4 / 12)
    with pytest.raises(UserError) as raised:
        checking.refuse_too_many_rejects(0.33)
    message = str(raised.value)
    assert "4 of 12 files (33.3%) are rejected, data.max_rejects allows 33.0%" in message
    assert "empty 3 (such as A/empty0.png), not an image 1 (such as A/text.png)" in message


def test_pictures_without_a_label_do_not_count_as_too_many(source):
    (source / "no_label").mkdir()
    for number in range(20):
        (source / "no_label" / f"{number}.png").touch()
    checking, _ = checked(source)
    checking.refuse_too_many_rejects(0)
    assert checking.counts() == {
        **{"seen": 28, "accepted": 8, "rejected": 20, "ignored": 0, "classes": 2},
    }
    assert set(checking.rejects()["reason"]) == {"no label"}


def test_a_class_of_which_nothing_is_left_fails(source):
    for path in (source / "B").iterdir():
        path.write_bytes(b"")
    checking, _ = checked(source)
    with pytest.raises(UserError, match=r"all pictures of B are rejected: empty 4"):
        checking.refuse_too_many_rejects(1)


def test_only_the_rejects_of_an_empty_class_are_named(source):
    for number in range(3):
        (source / "A" / f"text{number}.png").write_text("no picture")
    for path in (source / "B").iterdir():
        path.write_bytes(b"")
    checking, _ = checked(source)
    with pytest.raises(UserError) as raised:
        checking.refuse_too_many_rejects(1)
    message = str(raised.value)
    assert "all pictures of B are rejected: empty 4 (such as B/0.png)." in message
    assert "A/" not in message


def test_pages_and_the_largest_value_of_deep_pictures_are_noted(source):
    dark = np.full((8, 8), 3000, np.uint16)
    Image.fromarray(dark).save(source / "A" / "deep.png")
    frames = [Image.new("RGB", (8, 8), grey) for grey in ("red", "blue", "green")]
    frames[0].save(source / "B" / "film.gif", save_all=True, append_images=frames[1:])
    noted = checked(source)[0].noted()
    assert noted[["filename", "finding"]].to_numpy().tolist() == [
        ["B/film.gif", "several pages"],
        ["", "value of white"],
    ]
    assert "of 3 is used" in noted["detail"][0]
    assert "data.white_level: 4095" in noted["detail"][1]


@pytest.fixture
def boxes(tmp_path):
    """Check 12 pictures of 40 x 30 pixels whose boxes count in pictures of some sizes."""

    def boxes(*sizes):
        lines = ["filename,label,left,top,right,bottom,width,height"]
        for n in range(12):
            pixels = np.random.default_rng(n).integers(0, 256, (30, 40, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{n}.png")
            width, height = sizes[n % len(sizes)]
            lines.append(f"{n}.png,{'AB'[n % 2]},0,0,{width // 2},{height}.0,{width},{height}")
        (tmp_path / "manifest.csv").write_text("\n".join(lines))
        return checked(tmp_path)

    return boxes


def test_boxes_of_one_other_size_are_scaled_and_reported(boxes):
    checking, accepted = boxes((80, 60))
    assert len(accepted) == 12
    ((name, finding, detail),) = checking.noted().to_numpy().tolist()
    assert (name, finding) == ("", "scale of boxes")
    assert detail == "all 12 boxes count in pictures of another size: scaled by 0.5"


def test_boxes_of_some_other_sizes_are_listed(boxes):
    checking, _ = boxes((40, 30), (80, 60), (160, 120))
    noted = checking.noted()
    assert set(noted["finding"]) == {"scaled box"}
    assert len(noted) == 8
    assert "counts in 80 x 60 pixels, the picture has 40 x 30" in set(noted["detail"])


def test_boxes_of_another_shape_are_rejected_with_what_to_do(boxes):
    checking, accepted = boxes((40, 30), (64, 64))
    assert len(accepted) == 6
    assert set(checking.rejects()["reason"]) == {"box of another size"}
    with pytest.raises(UserError, match=r"data\.boxes: stretch scales those"):
        checking.refuse_too_many_rejects(0.05)


@pytest.fixture
def parallel_for_few(monkeypatch):
    """Worth several processes from two pictures on."""
    monkeypatch.setattr(check, "CHUNK_PICTURES", 2)
    monkeypatch.setattr(check, "CHUNKS_PER_WORKER", 1)


def test_several_processes_check_as_one_does(source, parallel_for_few):
    (source / "A" / "2.png").write_bytes(b"")
    (source / "B" / "note.png").write_text("no picture")
    one, accepted = checked(source)
    several, also_accepted = checked(source, workers=3)
    assert accepted == also_accepted
    assert one.counts() == several.counts()
    assert one.rejects().values.tolist() == several.rejects().values.tolist()
    assert several.rejects()["reason"].tolist() == ["empty", "not an image"]


def test_few_pictures_are_checked_in_this_process(source, monkeypatch):
    used = []
    results = pool.ordered_map
    monkeypatch.setattr(
        pool,
        "ordered_map",
        lambda function, items, workers: used.append(workers) or results(function, items, workers),
    )
    checked(source, workers=8)
    monkeypatch.setattr(check, "CHUNK_PICTURES", 1)
    monkeypatch.setattr(check, "CHUNKS_PER_WORKER", 4)
    checked(source, workers=8)
    assert used == [1, 2]


@pytest.mark.parametrize("files, workers, started", [(4, 2, 1), (3, 2, 0), (4, 1, 0)])
def test_processes_are_started_early_for_many_files_alone(
    tmp_path, parallel_for_few, monkeypatch, files, workers, started
):
    calls = []
    monkeypatch.setattr(pool, "prepare", lambda: calls.append(1))
    for number in range(files):
        folder = tmp_path / f"{number % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.png").touch()
    check.prepare(tmp_path, workers)
    assert len(calls) == started


def test_large_results_come_in_parts_and_lose_nothing(source, monkeypatch):
    monkeypatch.setattr(images, "CHUNK_RESULT_BYTES", 1)
    assert len(checked(source)[1]) == 8


class Deadly(images.ChunkCheck):
    """Kills its process at picture B/1.png, as a fault in a decoder or lack of memory would."""

    def __call__(self, chunk):
        if any(entry.filename == "B/1.png" for entry in chunk):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(chunk)


def test_a_killed_process_is_reported(source, parallel_for_few, monkeypatch):
    monkeypatch.setattr(images, "ChunkCheck", Deadly)
    with pytest.raises(UserError) as raised:
        checked(source, workers=2)
    message = str(raised.value)
    assert "was killed between" in message
    assert str(source / "B" / "3.png") in message
    assert "runtime.workers" in message


@pytest.fixture
def entries(tmp_path):
    """Pictures of 8 x 8 pixels that will be stored raw, 192 bytes each, and an empty file."""
    for number in range(7):
        pixels = np.full((8, 8, 3), number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.bmp")
    (tmp_path / "3.bmp").write_bytes(b"")
    return [Entry(f"{n}.bmp", "A", "", "", tmp_path / f"{n}.bmp") for n in range(7)]


def lengths(entries):
    return [len(portion) for portion in check.chunks(entries)]


def test_a_portion_ends_with_the_number_of_pictures(entries, monkeypatch):
    monkeypatch.setattr(check, "CHUNK_PICTURES", 3)
    assert [entry for portion in check.chunks(entries) for entry in portion] == entries
    assert lengths(entries) == [3, 3, 1]
    assert lengths([]) == []


def test_a_portion_ends_with_the_bytes_of_its_files(entries, monkeypatch):
    assert entries[0].path.stat().st_size == 246
    monkeypatch.setattr(check, "CHUNK_FILE_BYTES", 2 * 246)
    assert lengths(entries) == [2, 3, 2]  # the fourth file is empty
    entries[0].path.unlink()
    assert lengths(entries) == [3, 3, 1]


def test_pixels_in_a_tfrecord_count_alone(monkeypatch):
    raw = RawPixels(offset=0, record_length=900, length=300, height=10, width=10, depth=3)
    entries = [Entry("a", "A", "", "", Path("shard"), raw=raw)] * 5
    monkeypatch.setattr(check, "CHUNK_FILE_BYTES", 600)
    assert lengths(entries) == [2, 2, 1]


def test_every_entry_becomes_a_picture_or_a_reason(entries):
    outcomes = images.ChunkCheck(Limits(100), crop_margin=0)(entries)
    assert [type(outcome) for outcome in outcomes] == [Picture] * 3 + [Rejected] + [Picture] * 3
    assert outcomes[5].data == bytes([5] * 192)
    outcomes = images.ChunkCheck(Limits(63), crop_margin=0)(entries)
    assert {outcome.reason for outcome in outcomes} == {"too many pixels", "empty"}


def test_no_more_is_kept_than_fits(entries, monkeypatch):
    monkeypatch.setattr(images, "CHUNK_RESULT_BYTES", 2 * 192)
    checking = images.ChunkCheck(Limits(100), crop_margin=0)
    assert len(checking(entries)) == 2
    assert len(checking(entries[2:])) == 3  # one of them empty


def test_reason_and_detail_survive_the_way_to_another_process():
    there = pickle.loads(pickle.dumps(Rejected("too many pixels", "9 x 9, allowed are 80")))
    assert (there.reason, there.detail) == ("too many pixels", "9 x 9, allowed are 80")
    assert str(there) == "too many pixels: 9 x 9, allowed are 80"
