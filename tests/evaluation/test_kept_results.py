import os

import numpy as np
import pytest

from trackbed.evaluation import kept_results


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_results, "CACHE", tmp_path / "kept")
    return tmp_path / "kept"


def kept(values, *inputs):
    """The kept result of these inputs, and whether it was computed now."""
    computed = []
    found = kept_results.kept("sum", inputs, lambda: computed.append(1) or {"values": values})
    return found["values"], bool(computed)


def test_the_same_inputs_are_computed_once():
    values = np.array([0.1, np.pi])
    assert kept(values, b"a", b"b")[1]
    found, computed = kept(np.zeros(2), b"a", b"b")
    assert not computed
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)


def test_other_inputs_are_computed():
    kept(np.ones(1), b"a", b"b")
    # The border between two inputs counts too.
    for inputs in ((b"a", b"c"), (b"ab", b""), (b"a",)):
        assert kept(np.ones(1), *inputs)[1]


def test_other_code_or_libraries_compute_again(tmp_path, monkeypatch):
    kept(np.ones(1), b"a")
    (tmp_path / "changed.py").write_text("")
    monkeypatch.setattr(kept_results, "PACKAGE", tmp_path)
    assert kept(np.ones(1), b"a")[1]
    assert not kept(np.ones(1), b"a")[1]
    monkeypatch.setattr(kept_results.metadata, "version", lambda name: "0")
    assert kept(np.ones(1), b"a")[1]


def of_unknown_compression(data):
    place = data.index(b"PK\x01\x02") + 10  # in the table of contents of a zip archive
    return data[:place] + b"\x99" + data[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-30], lambda data: b"", lambda data: b"x", of_unknown_compression],
)
def test_a_damaged_file_is_computed_again(folder, damage):
    kept(np.ones(3), b"a")
    (path,) = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept(np.ones(3), b"a")[1]
    assert not kept(np.ones(3), b"a")[1]


def test_where_nothing_can_be_written_it_is_computed(folder):
    folder.write_text("a file in the place of the folder")
    for _ in range(2):
        assert kept(np.ones(1), b"a")[1]


def test_the_longest_unused_goes_first(folder, monkeypatch):
    monkeypatch.setattr(kept_results, "MOST", 2)
    for number, name in enumerate((b"old", b"used")):
        kept(np.ones(1), name)
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns)
        os.utime(newest, (number, number))
    kept(np.ones(1), b"old")  # used again
    kept(np.ones(1), b"new")
    assert len(list(folder.iterdir())) == 2
    assert not kept(np.ones(1), b"old")[1]
    assert not kept(np.ones(1), b"new")[1]
