import shutil

import pytest

from trackbed.integrity import dvc_lock
from trackbed.pipeline.errors import Damaged, UserError


@pytest.fixture
def models(finished, tmp_path, monkeypatch):
    """The models folder of a finished pipeline beside the dvc.lock that DVC wrote."""
    shutil.copytree(finished.folder / "models", tmp_path / "models")
    shutil.copy(finished.folder / "dvc.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    return dvc_lock.Path("models")


def test_what_dvc_recorded_passes(models):
    dvc_lock.check_unchanged(models)


def test_a_flipped_bit_an_added_and_a_missing_file_are_refused(models):
    words = r"^models: not what dvc\.lock names .*dvc checkout --force models"
    (models / "more.txt").write_text("")
    with pytest.raises(Damaged, match=words):
        dvc_lock.check_unchanged(models)
    (models / "more.txt").unlink()
    dvc_lock.check_unchanged(models)
    content = bytearray((models / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (models / "model.keras").unlink()
    with pytest.raises(Damaged, match=words):
        dvc_lock.check_unchanged(models)
    (models / "model.keras").write_bytes(content)
    with pytest.raises(Damaged, match=words):
        dvc_lock.check_unchanged(models)


def test_without_a_record_there_is_nothing_to_compare(models, tmp_path):
    dvc_lock.check_unchanged(dvc_lock.Path("elsewhere"))
    (tmp_path / "dvc.lock").unlink()
    dvc_lock.check_unchanged(models)


@pytest.mark.parametrize("text", ["stages: [", "stages: 3", "[]", "stages: {train: {outs: [1]}}"])
def test_a_broken_lock_file_is_told(tmp_path, text):
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(UserError, match=r"dvc\.lock: not readable"):
        dvc_lock.check_unchanged(dvc_lock.Path("models"), tmp_path / "dvc.lock")
