import shutil

import pytest

from trackbed.problems import Damaged, Problem
from trackbed.running import unchanged


@pytest.fixture
def models(finished, tmp_path, monkeypatch):
    """The models folder of a finished pipeline beside the dvc.lock that DVC wrote."""
    shutil.copytree(finished.folder / "models", tmp_path / "models")
    shutil.copy(finished.folder / "dvc.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    return unchanged.Path("models")


def test_what_dvc_recorded_passes(models):
    unchanged.refuse_another(models)


def test_a_flipped_bit_an_added_and_a_missing_file_are_refused(models):
    words = r"^models: not what dvc\.lock names .*dvc checkout --force models"
    (models / "more.txt").write_text("")
    with pytest.raises(Damaged, match=words):
        unchanged.refuse_another(models)
    (models / "more.txt").unlink()
    unchanged.refuse_another(models)
    content = bytearray((models / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (models / "model.keras").unlink()
    with pytest.raises(Damaged, match=words):
        unchanged.refuse_another(models)
    (models / "model.keras").write_bytes(content)
    with pytest.raises(Damaged, match=words):
        unchanged.refuse_another(models)


def test_without_a_record_there_is_nothing_to_compare(models, tmp_path):
    unchanged.refuse_another(unchanged.Path("elsewhere"))
    (tmp_path / "dvc.lock").unlink()
    unchanged.refuse_another(models)


@pytest.mark.parametrize("text", ["stages: [", "stages: 3", "[]", "stages: {train: {outs: [1]}}"])
def test_a_broken_lock_file_is_told(tmp_path, text):
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(Problem, match=r"dvc\.lock: not readable"):
        unchanged.refuse_another(unchanged.Path("models"), tmp_path / "dvc.lock")
