import hashlib

import pytest

from trackbed.pipeline.errors import UserError
from trackbed.reporting import run


def test_hashes_are_those_of_the_files(tmp_path):
    for name in ("index.csv", "folds.csv", "model.keras", "model.onnx"):
        (tmp_path / name).write_text(name)
    found = run.hashes(tmp_path, tmp_path, tmp_path, tmp_path)
    assert found["model"] == hashlib.sha256(b"model.keras").hexdigest()
    assert list(found) == ["data", "folds", "model", "exported model"]
    (tmp_path / "model.keras").unlink()
    with pytest.raises(UserError, match=r"model\.keras: No such file.*dvc pull"):
        run.hashes(tmp_path, tmp_path, tmp_path, tmp_path)
