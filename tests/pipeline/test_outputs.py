import ast
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trackbed.pipeline import outputs
from trackbed.pipeline.errors import UserError


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), outputs.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "records"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(RuntimeError), outputs.replacing_folder(path) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert [inner.name for inner in path.iterdir()] == ["old"]
    with outputs.replacing_folder(path) as folder:
        (folder / "new").touch()
    assert [inner.name for inner in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_never_takes_the_place_of_a_folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/1.jpg").touch()
    with pytest.raises(UserError, match=r"pictures: a folder; name a file\."):
        outputs.write_json(tmp_path / "pictures", {})
    assert [path.name for path in tmp_path.rglob("*")] == ["pictures", "1.jpg"]


@pytest.mark.parametrize("path", [Path(), Path("/")])
def test_a_place_without_a_name_is_no_file(path):
    with pytest.raises(UserError, match=r"name a file\."):
        outputs.write_json(path, {})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "--csv folder: a folder; name a file."),
        ("a.jpg", "--csv a.jpg: is also a.jpg."),
        ("folder/../b.html", "--csv folder/../b.html: is also --html."),
        ("folder/x.csv", "--csv folder/x.csv: must lie outside of folder."),
    ],
)
def test_a_place_that_loses_something_is_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    files = {"--json": None, "--html": Path("b.html"), "--csv": Path("c.csv")}
    outputs.refuse_places(files, ["a.jpg"], Path("folder"))
    with pytest.raises(UserError) as error:
        outputs.refuse_places(files | {"--csv": Path(name)}, ["a.jpg"], Path("folder"))
    assert str(error.value) == message


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path):
    (tmp_path / ".scores.json.partial").mkdir()
    with outputs.replacing(tmp_path / "scores.json") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


@pytest.fixture
def synced(monkeypatch):
    """What os.fsync was called for, in order: inode, and the names in the current folder then."""
    real, calls = os.fsync, []

    def recorded(descriptor):
        real(descriptor)
        calls.append((os.fstat(descriptor).st_ino, set(os.listdir())))

    monkeypatch.setattr(os, "fsync", recorded)
    return calls


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, synced):
    monkeypatch.chdir(tmp_path)
    outputs.write_json(Path("a.json"), {"f1": 0.5})
    assert synced == [
        (Path("a.json").stat().st_ino, {".a.json.partial"}),
        (Path().stat().st_ino, {"a.json"}),
    ]


def test_a_folder_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, synced):
    monkeypatch.chdir(tmp_path)
    with outputs.replacing_folder(Path("records")) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "shard").write_text("bytes")
        outputs.write_json(folder / "deep" / "a.json", {"f1": 0.5})
    content = [Path("records"), *Path("records").rglob("*")]
    *before, after = synced
    assert sorted(inode for inode, _ in before) == sorted(path.stat().st_ino for path in content)
    assert all(names == {".records.partial"} for _, names in before)
    assert after == (Path().stat().st_ino, {"records"})


def test_json_is_valid_where_a_score_is_not_defined(tmp_path):
    path = tmp_path / "deep" / "scores.json"
    values = {"f1": float("nan"), "inner": [1.5, float("inf")], "name": "Größe"}
    outputs.write_json(path, values)
    assert json.loads(path.read_text("utf-8")) == {
        "f1": None,
        "inner": [1.5, None],
        "name": "Größe",
    }


def test_csv_keeps_text_as_it_is(tmp_path):
    table = pd.DataFrame({"name": ['a,"b"', "NA", "012"], "n": [1, 2, 3]})
    outputs.write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == 'name,n\n"a,""b""",1\nNA,2\n012,3\n'


def test_a_jpeg_is_what_pillow_writes_into_a_file(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8))
    noise.save(tmp_path / "a.jpg", quality=88)
    assert outputs.jpeg(noise, 88) == (tmp_path / "a.jpg").read_bytes()


def test_nobody_else_has_pillow_write():
    saved = set()
    for path in Path(outputs.__file__).parents[2].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".save"):
                saved.add(ast.unparse(node.func))
    by_others = {"model.save", "network.save", "np.save", "tf.saved_model.save"}
    assert saved == {"picture.save", *by_others}


def test_a_pipe_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UserError) as error, outputs.replacing(pipe) as temporary:
        temporary.write_text("{}")
    assert str(error.value) == f"{pipe}: a device or pipe; name a file."
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
