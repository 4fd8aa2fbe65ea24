"""A trained head behind the stored backbone, against the same network through TensorFlow."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from exported import VALUES

from trackbed.embedding import engines
from trackbed.exporting import backbone_conversion, head_on_backbone, trained_network
from trackbed.inference.exported_model import ExportedModel
from trackbed.networks import embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.records import embedding_store
from trackbed.training import checkpoint

STAGES = Path(__file__).parents[2] / "stages"
SIDE = 32
IMAGES = np.random.default_rng(0).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
TABLE = pd.DataFrame({"record": range(6), "part": "test"})
CLASSES = ["a", "b", "c"]


def built(seed=0, precision="float32", **settings):
    """As a process of its own builds it."""
    keras.utils.clear_session()
    tensorflow_setup.make_deterministic(seed, precision)
    network = registry.build("MobileNetV2", Spec(SIDE, 3, **settings))
    keras.mixed_precision.set_global_policy("float32")
    network.layers[-1].bias.assign([0.1, 0.2, 0.3])
    return network


def embedded(folder, network):
    forward = engines.tensorflow_forward(embeddings.backbone(network), "float32")
    path = folder / embedding_store.STORED_FILE
    embedding_store.write(path, IMAGES, np.arange(6), [forward], 3)
    embedding_store.write_about(
        folder,
        **backbone_conversion.write(folder, network, forward, IMAGES),
        **{"frozen": True, "exact": True, "views": 0, "of": {"image_side": f"{SIDE}"}},
        backbone=embeddings.weights_digest(embeddings.backbone(network)),
    )
    return embedding_store.read(folder)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return embedded(tmp_path_factory.mktemp("embeddings"), built())


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The network as it is trained: another head, with dropout."""
    folder = tmp_path_factory.mktemp("models")
    checkpoint.save(folder, built(seed=1, dropout=0.3), CLASSES)
    return folder


def written(network, folder):
    folder.mkdir()
    network.write(folder, (), None, **VALUES)
    return ExportedModel.load(folder)


def test_both_ways_give_models_that_answer_alike(stored, models, tmp_path):
    quick = head_on_backbone.read(models, stored, ())
    whole = trained_network.read(models)
    found, expected = written(quick, tmp_path / "quick"), written(whole, tmp_path / "whole")
    assert found.description == expected.description  # with the digests of the files
    for images, network in ((IMAGES, quick), (IMAGES[:5], whole)):
        rows = TABLE.iloc[: len(images)]
        answers = network.probabilities(images, TABLE, rows)
        np.testing.assert_allclose(answers, found.probabilities(images), atol=1e-6)
    loaded = keras.models.load_model(models / checkpoint.MODEL_FILE)
    np.testing.assert_allclose(loaded(IMAGES), found.probabilities(IMAGES), atol=1e-6)


def test_no_tensorflow_is_needed(stored, models, tmp_path):
    code = (
        "import sys, pathlib\n"
        "sys.modules.update(dict.fromkeys(['tensorflow', 'keras']))\n"
        "from trackbed.exporting import head_on_backbone\n"
        "from trackbed.records import embedding_store\n"
        "stored, models, target = map(pathlib.Path, sys.argv[1:])\n"
        "network = head_on_backbone.read(models, embedding_store.read(stored), ())\n"
        "network.write(target, (), None)\n"
    )
    command = [sys.executable, "-c", code, stored.folder, models, tmp_path]
    done = subprocess.run(command, cwd=STAGES, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = head_on_backbone.read(models, stored, ())
    found.write(tmp_path / "here", (), None)
    assert (tmp_path / "model.onnx").read_bytes() == (tmp_path / "here/model.onnx").read_bytes()


def test_other_formats_need_tensorflow(stored, models):
    assert head_on_backbone.read(models, None, ()) is None
    assert head_on_backbone.read(models, stored, ["saved_model"]) is None


@pytest.mark.parametrize(
    "other",
    [
        {"precision": "mixed_bfloat16"},
        {"scaling": "unit"},  # a layer without weights
        {"unfreeze": "all", "seed": 2},  # other weights
    ],
)
def test_another_backbone_needs_tensorflow(stored, tmp_path, other):
    checkpoint.save(tmp_path, built(**other), CLASSES)
    assert head_on_backbone.read(tmp_path, stored, ()) is None


def test_one_changed_weight_needs_tensorflow(stored, tmp_path):
    network = built()
    layer = embeddings.backbone(network).layers[-2].layers[-2]
    values = layer.get_weights()
    values[0][0] += 1e-3
    layer.set_weights(values)
    checkpoint.save(tmp_path, network, CLASSES)
    assert head_on_backbone.read(tmp_path, stored, ()) is None


def test_embeddings_of_an_earlier_version_need_tensorflow(stored, models):
    about = {key: value for key, value in stored.about.items() if key != "files"}
    assert (
        head_on_backbone.read(models, embedding_store.Embeddings(stored.folder, about), ()) is None
    )


def test_a_model_that_is_missing_or_damaged_is_left_to_keras(stored, tmp_path):
    assert head_on_backbone.read(tmp_path, stored, ()) is None
    (tmp_path / checkpoint.MODEL_FILE).write_bytes(b"no archive")
    assert head_on_backbone.read(tmp_path, stored, ()) is None


def test_a_missing_or_changed_backbone_is_an_error(stored, models, tmp_path):
    (tmp_path / "embeddings.json").write_text(json.dumps(stored.about))
    other = embedding_store.read(tmp_path)
    with pytest.raises(UserError, match=r"backbone.onnx: No such file.*dvc repro -f embed"):
        head_on_backbone.read(models, other, ())
    (tmp_path / "backbone.onnx").write_bytes(b"cut")
    with pytest.raises(Damaged, match=r"backbone.onnx: differs from its digest in embeddings.json"):
        head_on_backbone.read(models, other, ())
