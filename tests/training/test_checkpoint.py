import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trackbed.networks import registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import Diverged, UserError
from trackbed.training import checkpoint

STAGES = Path(__file__).parents[2] / "stages"


def small_network(seed=0):
    import keras

    keras.utils.set_random_seed(seed)
    return registry.build("small_cnn", Spec(32, 3, 0.2))


def test_a_loaded_model_predicts_like_the_saved_one(tmp_path):
    network = small_network()
    checkpoint.save(tmp_path, network, ["a", "NO", "012"])
    loaded, classes = checkpoint.load(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(loaded.predict(images), network.predict(images))
    assert classes == ["a", "NO", "012"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["classes.json", "model.keras"]


def test_equal_models_are_equal_files_in_different_processes(tmp_path):
    code = (
        "import sys, pathlib, keras\n"
        f"sys.path.insert(0, {str(STAGES)!r})\n"
        "from trackbed.networks import registry\n"
        "from trackbed.training import checkpoint\n"
        "from trackbed.networks.spec import Spec\n"
        "keras.utils.set_random_seed(0)\n"
        "network = registry.build('small_cnn', Spec(32, 3, 0.2))\n"
        "checkpoint.save(pathlib.Path(sys.argv[1]), network, ['a', 'b', 'c'])\n"
    )
    digests = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        subprocess.run([sys.executable, "-c", code, tmp_path / name], check=True)
        model = (tmp_path / name / checkpoint.MODEL_FILE).read_bytes()
        digests.add(hashlib.sha256(model).hexdigest())
    assert len(digests) == 1


def test_the_entries_of_a_model_file_have_one_order_and_date(tmp_path):
    checkpoint.save(tmp_path, small_network(), ["a", "b", "c"])
    with zipfile.ZipFile(tmp_path / checkpoint.MODEL_FILE) as saved:
        names, dates = saved.namelist(), {entry.date_time for entry in saved.infolist()}
        metadata = json.loads(saved.read("metadata.json"))
    assert names == ["config.json", "metadata.json", "model.weights.h5"]
    assert dates == {(1980, 1, 1, 0, 0, 0)}  # the earliest of a zip archive
    assert list(metadata) == ["keras_version"]


def test_other_weights_are_another_file(tmp_path):
    files = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        checkpoint.save(folder, small_network(seed), ["a", "b", "c"])
        files.append((folder / checkpoint.MODEL_FILE).read_bytes())
    assert files[0] != files[1]


def test_a_missing_or_damaged_model_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"no loadable model .*dvc repro train"):
        checkpoint.load(tmp_path)
    checkpoint.save(tmp_path, small_network(), ["a", "b", "c"])
    path = tmp_path / checkpoint.MODEL_FILE
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match="no loadable model"):
        checkpoint.load(tmp_path)


class InTraining:
    """A network as checkpoint.kept_on_divergence takes it."""

    def __init__(self):
        self.network = small_network()

    def weights(self):
        return self.network.get_weights()

    def save(self, folder):
        checkpoint.save_network(folder, self.network)


def test_a_diverged_run_keeps_its_best_weights(tmp_path):
    training = InTraining()
    with (
        pytest.raises(
            Diverged, match=r"^too high\. The best weights before that are kept in .*kept"
        ),
        checkpoint.kept_on_divergence(tmp_path / "kept", training, ["a", "b", "c"]),
    ):
        raise Diverged("too high.")
    loaded, classes = checkpoint.load(tmp_path / "kept")
    pairs = zip(loaded.get_weights(), training.weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    assert classes == ["a", "b", "c"]


def test_broken_weights_are_not_kept_nor_those_of_an_earlier_run(tmp_path):
    training = InTraining()
    (tmp_path / "kept").mkdir()
    broken = [np.full_like(weight, np.nan) for weight in training.weights()]
    training.network.set_weights(broken)
    with (
        pytest.raises(Diverged, match=r"^too high\.$"),
        checkpoint.kept_on_divergence(tmp_path / "kept", training, ["a", "b", "c"]),
    ):
        raise Diverged("too high.")
    assert not list(tmp_path.iterdir())
