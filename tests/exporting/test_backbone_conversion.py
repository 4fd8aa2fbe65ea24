"""The files of a frozen backbone, which train and export use without TensorFlow."""

import keras
import numpy as np
import onnxruntime
import pytest

from trackbed.embedding import engines
from trackbed.exporting import backbone_conversion, onnx_export
from trackbed.exporting.convertible_copy import convertible_copy
from trackbed.networks import embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError
from trackbed.records import embedding_store

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return registry.build("MobileNetV2", Spec(32, 3))


@pytest.fixture(scope="module")
def forward(network):
    return engines.tensorflow_forward(embeddings.backbone(network), "float32")


@pytest.fixture(scope="module")
def stored(network, forward, tmp_path_factory):
    folder = tmp_path_factory.mktemp("embeddings")
    about = backbone_conversion.write(folder, network, forward, IMAGES)
    return embedding_store.Embeddings(folder, about)


def test_the_files_hold_the_network_and_its_backbone(network, forward, stored):
    names = {path.name for path in stored.folder.iterdir()}
    assert names == {"network.keras", "backbone.onnx"}
    loaded = keras.models.load_model(stored.checked("network.keras"))
    np.testing.assert_array_equal(loaded(IMAGES), network(IMAGES))
    session = onnxruntime.InferenceSession(stored.checked("backbone.onnx"))
    embedding, features = session.run(["embedding", "features"], {"images": IMAGES})
    np.testing.assert_allclose(embedding, forward(IMAGES), atol=1e-5)
    np.testing.assert_allclose(features.mean(axis=(1, 2)), embedding, atol=1e-5)


def test_a_second_time_gives_the_same_bytes(network, forward, stored, tmp_path):
    assert backbone_conversion.write(tmp_path, network, forward, IMAGES) == stored.about


def test_a_backbone_that_gives_only_zeros_is_no_other():
    inputs = keras.Input((32, 32, 3))
    zeros = keras.layers.GlobalAveragePooling2D(name="embedding")(keras.layers.Rescaling(0)(inputs))
    copy = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(zeros))
    content = onnx_export.onnx_bytes(onnx_export.traced_backbone(convertible_copy(copy)))
    backbone_conversion.refuse_other_answers(
        content, lambda some: np.zeros((len(some), 3), np.float32), IMAGES
    )


def test_other_answers_than_those_of_tensorflow_are_refused(forward, stored):
    with pytest.raises(UserError, match=r"differently from TensorFlow on 4 images: embeddings"):
        backbone_conversion.refuse_other_answers(
            stored.checked("backbone.onnx").read_bytes(), lambda some: forward(some) * 1.01, IMAGES
        )
