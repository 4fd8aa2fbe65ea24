import numpy as np
import pytest
from PIL import Image

from trackbed.ingest import check, sources
from trackbed.problems import Problem


@pytest.fixture
def source(tmp_path):
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = np.full((8, 8, 3), 50 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return tmp_path


def checked(folder, max_pixels=10**6):
    listing = sources.scan(folder, None, sources.Grouping(None, False))
    checking = check.Check(listing, max_pixels, crop_margin=0)
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
    assert checking.told() == "12 files: 8 accepted, 3 rejected, 1 ignored; 2 classes"


def test_too_many_rejects_fail_with_the_reasons_most_frequent_first(source):
    for number in range(3):
        (source / "A" / f"empty{number}.png").touch()
    (source / "A" / "text.png").write_text("no picture")
    checking, _ = checked(source)
    checking.refuse_too_many(4 / 12)
    with pytest.raises(Problem) as raised:
        checking.refuse_too_many(0.33)
    told = str(raised.value)
    assert "4 of 12 files (33.3%) are rejected, data.max_rejects allows 33.0%" in told
    assert "empty 3 (such as A/empty0.png), not an image 1 (such as A/text.png)" in told


def test_a_class_of_which_nothing_is_left_fails(source):
    for path in (source / "B").iterdir():
        path.write_bytes(b"")
    checking, _ = checked(source)
    with pytest.raises(Problem, match=r"all pictures of B are rejected: empty 4"):
        checking.refuse_too_many(1)
