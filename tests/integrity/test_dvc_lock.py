import hashlib
import json
import shutil
from pathlib import Path

import pytest

from trackbed.integrity import dvc_lock
from trackbed.integrity.dvc_lock import MISSING, FileState
from trackbed.pipeline.errors import Damaged, UserError


@pytest.fixture
def models(finished, tmp_path, monkeypatch):
    """The models folder of a finished pipeline beside the dvc.lock that DVC wrote."""
    shutil.copytree(finished.folder / "models", tmp_path / "models")
    shutil.copy(finished.folder / "dvc.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("models")


def test_an_unchanged_folder_passes(models):
    dvc_lock.check_unchanged(models)


def test_a_changed_added_or_missing_file_is_refused(models):
    message = r"^models: not what dvc\.lock names .*dvc checkout --force models"
    (models / "more.txt").write_text("")
    with pytest.raises(Damaged, match=message):
        dvc_lock.check_unchanged(models)
    (models / "more.txt").unlink()
    dvc_lock.check_unchanged(models)
    content = bytearray((models / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (models / "model.keras").unlink()
    with pytest.raises(Damaged, match=message):
        dvc_lock.check_unchanged(models)
    (models / "model.keras").write_bytes(content)
    with pytest.raises(Damaged, match=message):
        dvc_lock.check_unchanged(models)


def test_a_folder_without_a_record_passes(models, tmp_path):
    dvc_lock.check_unchanged(Path("elsewhere"))
    (tmp_path / "dvc.lock").unlink()
    dvc_lock.check_unchanged(models)


@pytest.mark.parametrize("text", ["stages: [", "stages: 3", "[]", "stages: {train: {outs: [1]}}"])
def test_an_unreadable_lock_file_is_an_error(tmp_path, text):
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(UserError, match=r"dvc\.lock: not readable"):
        dvc_lock.check_unchanged(Path("models"), tmp_path / "dvc.lock")


def test_a_folder_listing_has_the_bytes_that_dvc_writes():
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    hashes = {"b/ä.jpg": "0" * 32, "b.jpg": "1" * 32, "a": "3" * 32, 'quote".png': "2" * 32}
    tree = Tree()
    for name, md5 in hashes.items():
        tree.add(tuple(name.split("/")), None, HashInfo("md5", md5))
    tree.digest()
    content = dvc_lock.folder_listing(hashes)
    assert content == tree.as_bytes()
    assert dvc_lock.hash_bytes(content).md5 + ".dir" == tree.oid
    assert dvc_lock.parse_listing(content) == hashes


def test_each_inode_is_hashed_once(tmp_path):
    first, second, none = (tmp_path / name for name in ("first", "second", "none"))
    first.write_bytes(b"x" * (3 << 20))
    second.hardlink_to(first)
    read = []
    states = dvc_lock.Hasher(read.append).files([str(path) for path in (first, second, none)])
    expected = FileState(hashlib.md5(b"x" * (3 << 20)).hexdigest(), 3 << 20)
    assert states == {str(first): expected, str(second): expected, str(none): MISSING}
    assert sum(read) == 3 << 20
    assert dvc_lock.Hasher().files([str(tmp_path)])[str(tmp_path)].error == "Is a directory"


def test_the_listing_of_an_empty_folder():
    assert dvc_lock.folder_listing({}) == b"[]"
    assert json.loads(dvc_lock.folder_listing({"a": "0" * 32})) == [
        {"md5": "0" * 32, "relpath": "a"}
    ]


LOCK = b"""\
stages:
  train:
    cmd: python stages/train.py
    deps:
    - {path: data/records, md5: aa.dir}
    - {path: models/base}
    params:
      params.yaml:
        train: {fold: 1, learning_rate: 1e-05}
    outs:
    - {path: models, md5: bb.dir}
    - {path: plots}
  split:
    cmd: python stages/split.py
"""


def test_the_records_of_stages_keep_values_as_text():
    records = dvc_lock.stage_records(LOCK)
    train = records["train"]
    assert train.params == {"train": {"fold": "1", "learning_rate": "1e-05"}}
    assert train.deps == {"data/records": "aa.dir", "models/base": ""}
    assert train.outs == {"models": "bb.dir"}
    assert records["split"] == dvc_lock.StageRecord({}, {}, {})


@pytest.mark.parametrize("text", [None, b"", b"stages: [", b"stages: 3", b"[]"])
def test_a_lock_without_stages_has_no_records(text):
    assert dvc_lock.stage_records(text) == {}
