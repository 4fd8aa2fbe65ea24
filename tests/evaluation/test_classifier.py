"""A tiny network whose embedding is the mean colour, on written records."""

import keras
import numpy as np
import pytest
from exported import exported
from keras import layers
from recorded import written

from trackbed.evaluation import robustness
from trackbed.evaluation.classifier import Classifier
from trackbed.networks import embeddings
from trackbed.pipeline.errors import UserError
from trackbed.records import embedding_store, reader

SIDE = 8


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((SIDE, SIDE, 3))
    embedding = layers.GlobalAveragePooling2D(name=embeddings.EMBEDDING)(pixels / 255.0)
    return keras.Model(pixels, layers.Dense(2, "softmax", name="classes")(embedding))


@pytest.fixture(scope="module")
def in_onnx(model, tmp_path_factory):
    return exported(tmp_path_factory.mktemp("model") / "exported", model)


@pytest.fixture
def case(model, in_onnx, tmp_path):
    """The classifier, its records with a test part, and its class probabilities by numpy."""
    table, _ = written(tmp_path)
    table["part"] = np.where(table["record"] < 4, "train", "test")
    kernel, bias = model.get_layer("classes").get_weights()
    images = reader.pixels(tmp_path, table, SIDE, SIDE)
    odds = np.exp(mean_colours(images) @ kernel + bias)
    return Classifier(in_onnx, tmp_path, 3), table, odds / odds.sum(axis=1, keepdims=True)


def mean_colours(images):
    return (images / 255).mean(axis=(1, 2)).astype(np.float32)


def stored(classifier, table, *, exact=True, shift=0.0, backbone=None):
    """Embeddings of all records; those of the head's training are shifted."""
    folder = classifier.records_path / embedding_store.FOLDER
    folder.mkdir()
    images = reader.pixels(classifier.records_path, table, SIDE, SIDE)
    everything, test = np.arange(len(table)), np.flatnonzero(table["part"] == "test")
    shifted = [lambda images: mean_colours(images) + np.float32([shift, 0, 0])]
    embedding_store.write(folder / embedding_store.STORED_FILE, images, everything, shifted, 3)
    if not exact:
        embedding_store.write(
            folder / embedding_store.REFERENCE_FILE, images, test, [mean_colours], 3
        )
    if backbone is None:
        backbone = classifier.model.description["backbone"]
    embedding_store.write_about(folder, frozen=True, backbone=backbone, views=0, exact=exact)
    return embedding_store.read(folder)


def test_probabilities_of_images_come_in_the_order_of_the_rows(case):
    classifier, table, expected = case
    found, embedded = classifier.outputs(table.iloc[[6, 4]], table, None)
    images = reader.pixels(classifier.records_path, table.iloc[[6, 4]], SIDE, SIDE)
    assert embedded == pytest.approx(mean_colours(images), abs=1e-5)
    assert found == pytest.approx(expected[[6, 4]], abs=1e-5)
    assert classifier.approximate(table, None) is None


def test_probabilities_of_embeddings_are_those_of_the_images(case):
    classifier, table, expected = case
    rows = table[table["part"] == "test"]
    found, embedded = classifier.outputs(rows, table, stored(classifier, table))
    assert embedded.shape == (len(rows), 3)
    assert found == pytest.approx(expected[4:], abs=1e-5)


def test_approximate_embeddings_are_evaluated_beside_exact_ones(case, model):
    classifier, table, expected = case
    rows = table[table["part"] == "test"]
    shifted = stored(classifier, table, exact=False, shift=100.0)
    assert classifier.outputs(rows, table, shifted)[0] == pytest.approx(expected[4:], abs=1e-5)
    kernel = model.get_layer("classes").get_weights()[0]
    assert classifier.approximate(rows, shifted).tolist() == [kernel[0].argmax()] * 3


def test_exact_embeddings_need_no_second_evaluation(case):
    classifier, table, _ = case
    assert classifier.approximate(table, stored(classifier, table)) is None


def test_embeddings_that_differ_from_the_images_are_refused(case):
    classifier, table, _ = case
    with pytest.raises(UserError, match=r"from images and from embeddings differ .*-f embed"):
        classifier.outputs(
            table[table["part"] == "test"], table, stored(classifier, table, shift=2.0)
        )


def test_embeddings_of_another_backbone_are_refused(case):
    classifier, table, _ = case
    with pytest.raises(UserError, match="other weights"):
        classifier.outputs(table, table, stored(classifier, table, backbone="abc"))


def test_corruptions_come_once_with_all_their_grades(case, model):
    classifier, table, _ = case
    found = classifier.corrupted(table, ["brightness", "jpeg", "brightness"], seed=0)
    grades = [(name, grade) for name in ("brightness", "jpeg") for grade in robustness.GRADES]
    assert [(each.corruption, each.grade) for each in found] == grades
    images = reader.pixels(classifier.records_path, table, SIDE, SIDE)
    brightest = robustness.corrupted(images, table["record"].to_numpy(), "brightness", 5, seed=0)
    kernel, bias = model.get_layer("classes").get_weights()
    expected = (mean_colours(brightest) @ kernel + bias).argmax(axis=1)
    assert found[4].labels.tolist() == expected.tolist()


def test_without_corruptions_there_are_no_predictions(case):
    classifier, table, _ = case
    assert classifier.corrupted(table, [], seed=0) == []
