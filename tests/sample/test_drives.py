import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from trackbed.pipeline.errors import UserError
from trackbed.sample import drives

ROOT = Path(__file__).parents[2]
CLASSES = {"ASPHALT", "BALLAST", "ERROR", "GRAS", "STONE"}
DAMAGED = {
    "BALLAST/drive901_frame00.jpg",
    "GRAS/drive902_frame00.jpg",
    "STONE/drive903_frame00.jpg",
    "ASPHALT/.DS_Store",
}


def sample(folder, **arguments):
    folder.mkdir()
    drives.write_sample(folder, **{"drives": 2, "frames": (2,)} | arguments)
    return folder


def files(folder):
    """Digest of every file by its name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256
    return {str(path.relative_to(folder)): digest(path.read_bytes()).hexdigest() for path in paths}


def pictures(folder):
    return sorted(set(files(folder)) - DAMAGED)


def signature(path):
    """What stays the same as the texture moves: the mean colour in 8 upright stripes."""
    with Image.open(path) as picture:
        return np.asarray(picture.resize((8, 1), Image.Resampling.BOX), float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return sample(tmp_path_factory.mktemp("sample") / "sample")


def test_the_same_seed_gives_the_same_bytes_in_another_process(folder, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    code = "import sys, pathlib; from trackbed.sample import drives; "
    code += "drives.write_sample(pathlib.Path(sys.argv[1]), drives=2, frames=(2,))"
    subprocess.run(
        [sys.executable, "-c", code, again],
        env={"PYTHONPATH": str(ROOT / "stages"), "PYTHONHASHSEED": "7"},
        check=True,
    )
    assert files(again) == files(folder)


def test_another_seed_gives_other_pictures(folder, tmp_path):
    other = files(sample(tmp_path / "other", seed=2))
    assert not {other[name] for name in pictures(tmp_path / "other")} & set(files(folder).values())


def test_names_tell_class_and_drive_and_a_drive_has_one_class(folder):
    parts = [re.fullmatch(r"(\w+)/(drive\d{3})_frame\d\d\.jpg", name) for name in pictures(folder)]
    assert all(parts)
    class_of = {}
    for part in parts:
        class_of.setdefault(part[2], set()).add(part[1])
    assert len(parts) == 5 * 2 * 2
    assert len(class_of) == 5 * 2
    assert all(len(names) == 1 for names in class_of.values())
    assert set().union(*class_of.values()) == CLASSES


def test_a_drive_has_one_of_the_numbers_of_frames(tmp_path):
    names = pictures(sample(tmp_path / "sample", drives=3, frames=(1, 3)))
    counts = [sum(drive in name for name in names) for drive in {n[-19:-12] for n in names}]
    assert set(counts) == {1, 3}


def test_frames_are_small_pictures_of_several_sizes(folder):
    sizes = set()
    for name in pictures(folder):
        with Image.open(folder / name) as picture:
            picture.load()
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            sizes.add(picture.size)
    assert len(sizes) > 1
    assert all(128 <= width <= 160 and 96 <= height <= 120 for width, height in sizes)


def test_frames_of_a_drive_are_more_alike_than_drives_of_a_class(tmp_path):
    folder = sample(tmp_path / "sample", drives=6, frames=(2,))
    signatures = {name: signature(folder / name) for name in pictures(folder)}
    within, between = [], []
    for one, first in signatures.items():
        for other, second in signatures.items():
            if one < other and one.split("/")[0] == other.split("/")[0]:
                pairs = within if one.split("_")[0] == other.split("_")[0] else between
                pairs.append(np.abs(first - second).mean())
    assert len(within) == 5 * 6
    assert np.median(within) < 0.5 * np.median(between)


def test_frames_of_a_drive_are_not_copies(folder):
    assert len({files(folder)[name] for name in pictures(folder)}) == 5 * 2 * 2


def test_the_damaged_files_are_as_documented(folder):
    assert set(files(folder)) >= DAMAGED
    assert (folder / "BALLAST/drive901_frame00.jpg").stat().st_size == 0
    with Image.open(folder / "GRAS/drive902_frame00.jpg") as cut, pytest.raises(OSError):
        cut.load()
    with pytest.raises(UnidentifiedImageError):
        Image.open(folder / "STONE/drive903_frame00.jpg")
    assert all(name in drives.__doc__ for name in DAMAGED)


def test_the_stage_replaces_what_was_there(tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "old.txt").touch()
    script = [sys.executable, str(ROOT / "stages" / "sample.py"), str(tmp_path / "sample")]
    output = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    assert {path.name for path in (tmp_path / "sample").iterdir()} == CLASSES
    count = len(list((tmp_path / "sample").rglob("*.jpg")))
    assert output == f"{count} files in 5 classes\n"
    assert 5 * 26 * 4 < count <= 5 * 26 * 6 + 3
    total = sum(path.stat().st_size for path in (tmp_path / "sample").rglob("*.jpg"))
    assert total < 6_000_000


def test_one_core_draws_the_same_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(drives.pool, "cores", lambda: 1)
    assert files(sample(tmp_path / "alone")) == files(folder)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_process_is_an_error_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(drives.pool, "cores", lambda: 2)
    monkeypatch.setattr(drives, "_write_drive", killed)
    with pytest.raises(UserError, match="was killed"):
        sample(tmp_path / "sample")


def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
