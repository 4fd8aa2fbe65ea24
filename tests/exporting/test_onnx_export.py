import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from trackbed.exporting import onnx_export
from trackbed.networks import registry
from trackbed.networks.spec import Spec

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)


def built(name, seed=0):
    keras.utils.set_random_seed(seed)
    return registry.build(name, Spec(32, 4, units=8))


def converted(model):
    return onnx_export.onnx_bytes(onnx_export.traced(model))


@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV2", "EfficientNetB0"])
def test_the_runtime_answers_as_keras_does(name):
    model = built(name)
    session = onnxruntime.InferenceSession(converted(model))
    found, embedding, features = session.run(
        ["probabilities", "embedding", "features"], {"images": IMAGES}
    )
    np.testing.assert_allclose(found, model(IMAGES.astype(np.float32)), atol=1e-6)
    np.testing.assert_allclose(features.mean(axis=(1, 2)), embedding, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV3Small"])
def test_an_answer_does_not_depend_on_its_batch(name):
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    network = registry.build(name, Spec(64, 4))
    session = onnxruntime.InferenceSession(converted(network))
    outputs = ["probabilities", "embedding", "features"]
    together = session.run(outputs, {"images": images})
    alone = [session.run(outputs, {"images": image[None]}) for image in images]
    for number, values in enumerate(together):
        assert (np.concatenate([each[number] for each in alone]) == values).all()


def test_the_file_states_names_types_and_any_batch():
    model = onnx.load_from_string(converted(built("small_cnn")))
    (given,) = model.graph.input
    assert (given.name, given.type.tensor_type.elem_type) == ("images", onnx.TensorProto.UINT8)
    dimensions = given.type.tensor_type.shape.dim
    assert dimensions[0].dim_param == "batch"
    assert [one.dim_value for one in dimensions[1:]] == [32, 32, 3]
    assert [one.name for one in model.graph.output] == ["probabilities", "embedding", "features"]
    assert model.opset_import[0].version == onnx_export.OPSET


@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV2"])
def test_a_second_export_in_one_process_gives_the_same_bytes(name):
    first = converted(built(name))
    assert converted(built(name)) == first
    assert converted(built(name, seed=1)) != first
