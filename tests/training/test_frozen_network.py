"""A network whose head is trained in NumPy, saved with and without Keras."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from trackbed.networks import embeddings, registry
from trackbed.networks.augmentation import Augmentation
from trackbed.networks.spec import Spec
from trackbed.pipeline import params, tensorflow_setup
from trackbed.pipeline.errors import UserError
from trackbed.records import embedding_store
from trackbed.training import (
    batches,
    checkpoint,
    dense_heads,
    frozen_network,
    loop,
    optimization,
    sampling,
)
from trackbed.training.callbacks import Observed
from trackbed.training.dense_heads import DenseHeads
from trackbed.training.early_stopping import Observer
from trackbed.training.train_params import TrainParams

ROOT = Path(__file__).parents[2]
CLASSES = ["a", "b"]
TABLE = pd.DataFrame(
    {
        **{"record": range(40), "label": np.arange(40) % 2},
        **{"part": "train", "fold": np.arange(40) // 2 % 4},
    }
)


def point(**changes):
    p = params.load("train", TrainParams, ROOT / "params.yaml")
    head = {"network": "MobileNetV2", "image_side": 32, "augment": [], "epochs": 3, "batch": 8}
    return p.model_copy(update=head | changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Embeddings of random images, as the stage embed writes them, with the network's file."""
    folder = tmp_path_factory.mktemp("embeddings")
    keras.utils.clear_session()
    tensorflow_setup.make_deterministic(0)
    network = registry.build("MobileNetV2", Spec(32, len(CLASSES)))
    base = embeddings.backbone(network)
    values = np.random.default_rng(0).normal(size=(1, 40, 1280)).astype(np.float32)
    np.save(folder / embedding_store.STORED_FILE, values)
    checkpoint.save_network(folder, network)
    (folder / checkpoint.MODEL_FILE).rename(folder / embedding_store.NETWORK_FILE)
    name = embedding_store.NETWORK_FILE
    embedding_store.write_about(
        folder,
        files={name: embedding_store.digest(folder / name)},
        **{"frozen": True, "exact": True, "views": 0},
        backbone=embeddings.weights_digest(base),
        of={"network": "MobileNetV2", "weights": "none", "image_side": "32", "augment": "[]"},
    )
    return folder


def made(folder, p):
    keras.utils.clear_session()  # names of layers are counted anew, as in a process of its own
    stored = embedding_store.read(folder)
    validation = TABLE["fold"] == p.fold
    embedded = frozen_network.embedded(stored, TABLE, TABLE[~validation], TABLE[validation])
    return frozen_network.FrozenNetwork(p, stored, embedded, len(CLASSES))


def trained(folder, p, target):
    network = made(folder, p)
    network.fit([])
    network.save(target)
    checkpoint.write_classes(target, CLASSES)
    return network


def without_file(folder, target):
    """The same embeddings, as written before there was a file of the network."""
    name = embedding_store.STORED_FILE
    (target / name).write_bytes((folder / name).read_bytes())
    about = dict(embedding_store.read(folder).about)
    del about["files"]
    embedding_store.write_about(target, **about)
    return target


def test_both_ways_to_save_give_the_same_file(folder, tmp_path):
    files = []
    for name, source in (("a", folder), ("b", without_file(folder, tmp_path))):
        (tmp_path / name).mkdir()
        network = trained(source, point(), tmp_path / name)
        files.append((tmp_path / name / checkpoint.MODEL_FILE).read_bytes())
        assert (network.name, network.parameters) == ("mobilenetv2", 2_260_546)
    assert files[0] == files[1]


def test_the_saved_model_answers_as_the_head_on_embeddings(folder, tmp_path):
    network = trained(folder, point(), tmp_path)
    model, classes = checkpoint.load(tmp_path)
    head = embeddings.head(model)
    answers = head.predict(network.embedded.validation, verbose=0)
    np.testing.assert_allclose(network.probabilities(), answers, rtol=1e-4, atol=1e-6)
    assert classes == CLASSES
    assert model.get_layer("dropout").rate == 0.3


def test_mixed_precision_is_that_of_the_saved_layers(folder, tmp_path):
    try:
        trained(folder, point(precision="mixed_bfloat16"), tmp_path)
    finally:
        tensorflow_setup.make_deterministic(0)
    model, _ = checkpoint.load(tmp_path)
    assert model.get_layer("dropout").dtype_policy.name == "mixed_bfloat16"


def test_another_backbone_is_an_error(folder, tmp_path):
    with pytest.raises(UserError, match=r"embeddings are of train\.image_side 32, .* has 64"):
        made(folder, point(image_side=64))
    source = without_file(folder, tmp_path)
    about = embedding_store.read(source).about | {"backbone": "0" * 64}
    embedding_store.write_about(source, **about)
    with pytest.raises(UserError, match="a backbone with other weights"):
        made(source, point())


def test_a_head_is_trained_and_saved_without_tensorflow(folder, tmp_path):
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    code = (
        "import sys; from pathlib import Path; import pandas as pd\n"
        f"sys.path[:0] = [{str(ROOT / 'stages')!r}, {str(Path(__file__).parent)!r}]\n"
        "from trackbed.pipeline import params\n"
        "from trackbed.records import embedding_store\n"
        "from trackbed.training import checkpoint, epoch_log, frozen_network, resources\n"
        "from trackbed.training import augmentation_preview\n"
        "from trackbed.training.train_params import TrainParams\n"
        f"p = params.load('train', TrainParams, Path({str(ROOT / 'params.yaml')!r}))\n"
        "p = p.model_copy(update={'network': 'MobileNetV2', 'image_side': 32, 'augment': []})\n"
        f"folder, table = Path({str(folder)!r}), pd.read_csv('table.csv')\n"
        "stored = embedding_store.read(folder)\n"
        "embedded = frozen_network.embedded(stored, table, table[8:], table[:8])\n"
        "network = frozen_network.FrozenNetwork(p, stored, embedded, 2)\n"
        "network.fit([epoch_log.Progress(p.epochs, p.monitor, 1)])\n"
        "network.save(Path('.'))\n"
        "assert not {'tensorflow', 'keras', 'sklearn'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / checkpoint.MODEL_FILE).exists()


@pytest.mark.slow
def test_training_on_embeddings_equals_training_on_images(tmp_path):
    labels, random = TABLE["label"].to_numpy(), np.random.default_rng(0)
    images = random.integers(0, 120, (40, 32, 32, 3), dtype=np.uint8)
    images[labels == 1, ::2] += 100
    p = point(network="rails", dropout=0.0, epochs=4, patience=4, learning_rate=0.01)
    keras.utils.clear_session()
    tensorflow_setup.make_deterministic(p.seed)
    whole = registry.build(p.network, Spec.of(p, len(CLASSES)))
    base, head = embeddings.backbone(whole), embeddings.head(whole)
    np.save(tmp_path / embedding_store.STORED_FILE, base.predict(images, verbose=0)[None])
    embedding_store.write_about(
        tmp_path,
        **{"frozen": True, "exact": True, "views": 0, "of": {}},
        backbone=embeddings.weights_digest(base),
    )
    network = made(tmp_path, p)
    on_embeddings = Curve()
    outcome = network.fit([on_embeddings])
    initial = DenseHeads(dense_heads.initial(network.head.sizes, p.seed)[None], network.head.sizes)
    head.set_weights([values[0] for layer in initial.layers for values in layer])
    on_images, held_out = Curve(), (TABLE["fold"] == p.fold).to_numpy()
    expected = loop.fit(
        whole,
        Augmentation(),
        *(batches.Examples(images[part], labels[part]) for part in (~held_out, held_out)),
        phases=optimization.phases(p, Spec.of(p, 2), whole, sampling.steps(30, p.batch)),
        loss=optimization.loss_of(p),
        plan=loop.Plan.of(p),
        callbacks=[Observed(on_images)],
    )
    assert outcome.best_epoch == expected.best_epoch
    assert on_images.losses[0][0] > on_images.losses[-1][0] + 0.1  # something was learned
    np.testing.assert_allclose(on_embeddings.losses, on_images.losses, rtol=1e-3)
    answers = whole.predict(images[held_out], verbose=0)
    np.testing.assert_allclose(network.probabilities(), answers, atol=1e-3)


class Curve(Observer):
    """Keeps the losses of every epoch."""

    def __init__(self):
        self.losses = []

    def on_epoch_end(self, epoch, logs):
        self.losses.append((logs["loss"], logs["val_loss"]))
