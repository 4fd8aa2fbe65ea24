"""Which explainer a model gets."""

import onnx_model
import pytest

from trackbed.explanation import explainers
from trackbed.inference import class_activation
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline.errors import UserError


def model(folder, **options):
    return ExportedModel.load(onnx_model.write(folder / "exported", ["A", "B"], **options))


def test_a_head_behind_a_pooling_needs_no_trained_model(tmp_path):
    found = explainers.explainer(model(tmp_path), tmp_path / "models")
    assert isinstance(found, class_activation.Explainer)


def test_another_head_needs_the_trained_model(tmp_path):
    with pytest.raises(UserError, match=r"maps need the trained model, and .*cannot be read.*pull"):
        explainers.explainer(model(tmp_path, head=False), tmp_path / "models")


def test_the_trained_model_must_be_the_exported_one(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / explainers.TRAINED_FILE).write_bytes(b"another")
    with pytest.raises(UserError, match="another model than the exported one"):
        explainers.explainer(model(tmp_path, head=False), tmp_path / "models")
