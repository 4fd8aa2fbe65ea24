import json
import re

import numpy as np
import onnx_model
import pytest
from scipy.special import softmax

from trackbed.inference import exported_model, head
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.head import Dense, Head
from trackbed.pipeline.errors import Damaged, UserError


def test_a_head_by_hand():
    hidden = Dense(np.float32([[1, -1], [2, 0]]), np.float32([0, 1]), "relu")
    top = Dense(np.float32([[1, 0], [0, 1]]), np.float32([0.5, 0]), "softmax")
    embeddings = np.float32([[1, 1], [3, -1]])  # hidden: (3, 0) and (1, 0)
    found = Head([hidden, top])
    assert found.logits(embeddings).tolist() == [[3.5, 0], [1.5, 0]]
    np.testing.assert_allclose(
        found.probabilities(embeddings),
        softmax(np.float32([[3.5, 0], [1.5, 0]]), axis=1),
        rtol=1e-6,
    )


@pytest.fixture
def folder(tmp_path):
    return onnx_model.write(tmp_path / "exported", ["a", "b"])


def test_the_head_of_a_folder(folder):
    model = ExportedModel.load(folder)
    embeddings = np.random.default_rng(0).random((4, 3), np.float32)
    with np.load(folder / "head.npz") as stored:
        expected = softmax(embeddings @ stored["kernel_0"] + stored["bias_0"], axis=1)
    np.testing.assert_allclose(head.read(model).probabilities(embeddings), expected, rtol=1e-6)


def test_a_head_that_was_changed_by_hand_is_refused(folder):
    np.savez(folder / "head.npz", kernel_0=np.ones((3, 2), np.float32), bias_0=np.zeros(2))
    with pytest.raises(Damaged, match=r"head\.npz: differs from its digest"):
        head.read(ExportedModel.load(folder))
    (folder / "head.npz").unlink()
    with pytest.raises(UserError, match=r"head\.npz: No such file"):
        head.read(ExportedModel.load(folder))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"no archive at all"])
def test_a_broken_head_with_the_right_digest_is_named(folder, content):
    (folder / "head.npz").write_bytes(content)
    path = folder / exported_model.DESCRIPTION_FILE
    description = json.loads(path.read_text())
    description["files"]["head.npz"] = onnx_model.described(content)
    path.write_text(json.dumps(description))
    with pytest.raises(Damaged, match=f"^{re.escape(str(folder))}/head.npz: broken"):
        head.read(ExportedModel.load(folder))
