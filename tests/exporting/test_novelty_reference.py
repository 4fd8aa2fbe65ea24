"""A network whose embedding is the mean colour, on written records."""

import keras
import numpy as np
import pytest
from exported import exported
from keras import layers
from recorded import written

from trackbed.exporting import novelty_reference
from trackbed.inference import novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.networks import embeddings
from trackbed.pipeline.errors import UserError
from trackbed.records import embedding_store, reader

SIDE = 8


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pixels = keras.Input((SIDE, SIDE, 3))
    embedding = layers.GlobalAveragePooling2D(name=embeddings.EMBEDDING)(pixels / 255.0)
    network = keras.Model(pixels, layers.Dense(2, "softmax")(embedding))
    return exported(tmp_path_factory.mktemp("model") / "exported", network)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return folder, written(folder)[0]


def stored(records_path, folder, table, *, exact, **about):
    """Stored embeddings: the mean colours, as numpy computes them, of a picture in red."""
    images = np.zeros_like(reader.pixels(records_path, table, SIDE, SIDE))
    images[..., 0] = 255
    path = folder / embedding_store.STORED_FILE
    means = [lambda images: (images / 255).mean(axis=(1, 2)).astype(np.float32)]
    embedding_store.write(path, images, np.arange(len(table)), means, 3)
    embedding_store.write_about(folder, frozen=True, views=0, exact=exact, **about)
    return embedding_store.read(folder)


def test_training_rows_are_compared_with_and_others_held_out(model, records):
    folder, table = records
    embedder = novelty_reference.Embedder(model, folder, None)
    found = novelty_reference.reference(embedder, table.iloc[:4], table.iloc[4:])
    colours = reader.pixels(folder, table, SIDE, SIDE).mean(axis=(1, 2))
    unit = colours / np.linalg.norm(colours, axis=1, keepdims=True)
    np.testing.assert_allclose(found.training, unit[:4], atol=3e-4)  # the grid
    distances = np.sort(np.linalg.norm(unit[4:, None] - unit[:4], axis=2))[:, 2]
    np.testing.assert_allclose(found.held_out, np.sort(distances), atol=2e-3)


@pytest.mark.parametrize("exact", [True, False])
def test_stored_embeddings_count_where_they_are_exact(model, records, tmp_path, exact):
    folder, table = records
    about = {"exact": exact, "backbone": model.description["backbone"]}
    embedder = novelty_reference.Embedder(model, folder, stored(folder, tmp_path, table, **about))
    found = novelty_reference.reference(embedder, table.iloc[:4], table.iloc[4:])
    assert (found.training == [1, 0, 0]).all() == exact


def test_embeddings_of_another_backbone_are_refused(model, records, tmp_path):
    folder, table = records
    other = stored(folder, tmp_path, table, exact=True, backbone="abc")
    with pytest.raises(UserError, match="other weights"):
        novelty_reference.Embedder(model, folder, other).embeddings(table)


def test_the_folder_has_the_reference_and_its_digest(model):
    pictures = np.eye(3, dtype=np.float32)
    reference = novelty.build(np.repeat(pictures[:2], 3, axis=0), pictures)
    contents = []
    for _ in range(2):
        novelty_reference.add(model.folder, reference)
        contents.append({path.name: path.read_bytes() for path in model.folder.iterdir()})
    assert contents[0] == contents[1]
    loaded = ExportedModel.load(model.folder)
    assert loaded.description["files"].keys() == {"model.onnx", "head.npz", "reference.npz"}
    assert novelty.read(loaded).rank(pictures).tolist() == [1, 1, 0.5]
