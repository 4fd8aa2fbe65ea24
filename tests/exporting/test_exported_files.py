import hashlib
import json

import numpy as np
import pytest

from trackbed.exporting import exported_files
from trackbed.exporting.exported_files import Facts
from trackbed.inference import exported_model
from trackbed.inference.head import Dense, Head

HEAD = Head([Dense(np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "softmax")])


@pytest.mark.parametrize("head", [None, HEAD])
def test_the_description_has_a_digest_of_every_file(tmp_path, head):
    exported_files.write_model(tmp_path, b"a graph", head)
    exported_files.write_description(tmp_path, Facts("own", ["a", "b"], 8, head, None), more=1)
    described = json.loads((tmp_path / "model.json").read_text())
    assert described["files"].keys() == (
        {"model.onnx"} if head is None else {"model.onnx", "head.npz"}
    )
    digest = hashlib.sha256(b"a graph").hexdigest()
    assert described["files"]["model.onnx"] == {"sha256": digest, "bytes": 7}
    assert described["head"] == (None if head is None else ["softmax"])
    assert (described["network"], described["classes"], described["more"]) == ("own", ["a", "b"], 1)
    assert described["input"]["shape"] == ["batch", 8, 8, 3]


def test_a_second_time_gives_the_same_bytes(tmp_path):
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        exported_files.write_model(tmp_path / name, b"a graph", HEAD)
        exported_files.write_description(tmp_path / name, Facts("own", ["a"], 8, HEAD, "0"))
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
    assert exported_model.DESCRIPTION_FILE in contents[0]
