import shutil
from collections import namedtuple

import pytest

from trackbed.creation import source_folder
from trackbed.pipeline.errors import NoSpace


def test_an_amount_counts_files_at_any_depth(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/1.jpg").write_bytes(bytes(1500))
    (tmp_path / "2.jpg").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to("nowhere")
    assert str(source_folder.amount(tmp_path)) == "2 files, 2.5 kB"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (43_400_000, "43.4 MB"), (12_340_000_000, "12.3 GB")],
)
def test_bytes_are_readable(size, text):
    assert source_folder.readable(size) == text


def test_links_are_tried_and_nothing_is_left(tmp_path):
    assert source_folder.links_work(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_found_before_the_copy(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**12, 10**12 - 10**9, 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    source_folder.refuse_full_disk(tmp_path, 8 * 10**8)
    with pytest.raises(NoSpace, match=r"need 900.0 MB, and 1.0 GB are free. Use --link"):
        source_folder.refuse_full_disk(tmp_path, 9 * 10**8)
