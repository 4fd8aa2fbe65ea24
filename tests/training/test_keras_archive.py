"""Networks read and written without Keras, against Keras itself."""

import json
import zipfile

import keras
import numpy as np
import pytest

from trackbed.networks import embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.training import checkpoint, keras_archive

CLASSES = ["a", "b", "c"]
NETWORKS = ["MobileNetV2", pytest.param("rails", marks=pytest.mark.slow)]


def built(name, dropout, seed=0):
    keras.utils.clear_session()  # names of layers are counted anew, as in a process of its own
    tensorflow_setup.make_deterministic(seed)
    return registry.build(name, Spec(32, len(CLASSES), dropout))


@pytest.fixture(scope="module", params=NETWORKS)
def network(request, tmp_path_factory):
    """A network, the file of it with another head, and the network with that head by Keras."""
    folder = tmp_path_factory.mktemp("archive")
    first, other = built(request.param, 0.0), built(request.param, 0.4, seed=1)
    checkpoint.save(folder, first, CLASSES)
    return first, folder / checkpoint.MODEL_FILE, other


def head_weights(network):
    return embeddings.head(network).get_weights()


def test_the_head_is_read_as_keras_reads_it(network):
    first, path, _ = network
    found = keras_archive.head_layers(path)
    read = [values for kernel, bias, _ in found for values in (kernel, bias)]
    for one, other in zip(read, head_weights(first), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [activation for *_, activation in found] == ["relu"] * (len(found) - 1) + ["softmax"]


def test_name_and_parameters_are_those_of_keras(network):
    first, path, _ = network
    archive = keras_archive.read(path)
    assert (archive.name, archive.parameters()) == (first.name, first.count_params())


def test_a_file_with_another_head_is_that_which_keras_writes(network, tmp_path):
    _, path, other = network
    content = keras_archive.read(path).with_head(head_weights(other), dropout=0.4)
    checkpoint.save_network(tmp_path, other)
    assert content == keras_archive.entries(tmp_path / checkpoint.MODEL_FILE)


def test_keras_loads_it_as_the_network_that_the_registry_builds(network, tmp_path):
    _, path, other = network
    content = keras_archive.read(path).with_head(head_weights(other), dropout=0.4)
    keras_archive.write(tmp_path / checkpoint.MODEL_FILE, content)
    checkpoint.write_classes(tmp_path, CLASSES)
    loaded, classes = checkpoint.load(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(loaded.predict(images), other.predict(images))
    assert classes == CLASSES


def test_a_network_with_another_head_is_refused(tmp_path):
    checkpoint.save(tmp_path, built("small_cnn", 0.1), CLASSES)
    with pytest.raises(ValueError, match="no layers behind a layer called embedding"):
        keras_archive.read(tmp_path / checkpoint.MODEL_FILE)


def test_a_head_with_another_layer_is_refused(network, tmp_path):
    _, path, _ = network
    content = keras_archive.entries(path)
    config = json.loads(content["config.json"])
    config["config"]["layers"][-1]["config"]["activation"] = "sigmoid"
    content["config.json"] = json.dumps(config).encode()
    with pytest.raises(ValueError, match="no chain of dropout and dense layers"):
        keras_archive.Archive(content)


def test_equal_entries_are_equal_files(tmp_path):
    files = []
    for name in ("a", "b"):
        keras_archive.write(tmp_path / name, {"second": b"2", "first": b"1"})
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert archive.namelist() == ["first", "second"]
