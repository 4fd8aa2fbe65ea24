import json

import keras
import numpy as np
import pytest
from exported import exported
from keras import layers

from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline.errors import Damaged, UserError

SIDE = 8
IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def keras_model():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, activation="relu")(pixels / 255.0)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Dense(2, "softmax")(x))


@pytest.fixture
def model(keras_model, tmp_path):
    return exported(tmp_path / "exported", keras_model)


def test_probabilities_are_those_of_keras_for_any_batch(model, keras_model):
    expected = keras_model(IMAGES.astype(np.float32)).numpy()
    found = model.probabilities(IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.array_equal(model.probabilities(IMAGES, batch=2), found)
    assert model.probabilities(IMAGES[:0]).shape == (0, 2)
    assert (model.classes, model.side, model.has_features) == (["a", "b"], SIDE, True)


def test_images_of_another_shape_or_dtype_are_refused(model):
    with pytest.raises(ValueError, match=r"uint8 of shape .*Received float32"):
        model.outputs(IMAGES.astype(np.float32), "probabilities")
    with pytest.raises(ValueError, match=r"Received uint8 of shape \(5, 7, 8, 3\)"):
        model.outputs(IMAGES[:, 1:], "probabilities")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"there is no exported model\. Run `dvc repro export`"):
        ExportedModel.load(tmp_path)


def test_a_changed_file_is_refused(model):
    with (model.folder / "model.onnx").open("ab") as file:
        file.write(b"0")
    with pytest.raises(Damaged, match=r"model\.onnx: differs from its digest in model\.json"):
        ExportedModel.load(model.folder)


def test_a_missing_file_is_named(model):
    (model.folder / "model.onnx").unlink()
    with pytest.raises(UserError, match=r"model\.onnx: No such file"):
        ExportedModel.load(model.folder)


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\xff"])
def test_a_broken_description_is_refused(model, content):
    (model.folder / "model.json").write_text(content, encoding="latin-1")
    with pytest.raises(Damaged, match=r"model\.json: broken"):
        ExportedModel.load(model.folder)


def test_a_description_of_another_format_is_refused(model):
    path = model.folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(UserError, match="has format 2, this version of trackbed reads format 1"):
        ExportedModel.load(model.folder)
