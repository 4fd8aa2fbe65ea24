"""The nearest training images, against scikit-learn."""

import numpy as np
import onnx_model
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from trackbed.exporting import novelty_reference
from trackbed.gallery import training_neighbours
from trackbed.inference import novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tables


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A model with a reference of 40 training images, the folder of its fold, and the index."""
    folder, draw = tmp_path_factory.mktemp("run"), np.random.default_rng(0)
    onnx_model.write(folder / "exported", ["A", "B"])
    table = pd.DataFrame({"record": range(60), "label": np.arange(60) % 2})
    table = table.assign(filename=[f"{n}.png" for n in range(60)], group="", class_name="A")
    table["part"] = np.where(table["record"] < 50, "train", "test")
    held_out = table[table["record"] < 10]
    answers = tables.predictions(held_out, ["A", "B"], np.full((10, 2), 0.5))
    tables.VALIDATION_TABLE.write(folder / "models", answers)
    embeddings = draw.normal(size=(60, 3)).astype(np.float32)
    reference = novelty.build(embeddings[10:50], embeddings[:10])
    novelty_reference.add(folder / "exported", reference)
    return ExportedModel.load(folder / "exported"), folder / "models", table, embeddings


def test_neighbours_are_those_of_scikit_learn(case):
    model, models, table, embeddings = case
    found = training_neighbours.nearest(model, models, table, embeddings[50:])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    fitted = NearestNeighbors(n_neighbors=5).fit(unit[10:50])
    distances, places = fitted.kneighbors(unit[50:])
    records = found.rows["record"].to_numpy()[found.places]
    assert (records == places + 10).mean() > 0.95  # the reference is rounded to float16
    assert found.distances == pytest.approx(distances, abs=0.02)
    assert len(found.rows) == len(set(records.ravel()))


def test_a_model_of_other_training_images_has_none(case):
    model, models, table, embeddings = case
    assert training_neighbours.nearest(model, models, table.head(49), embeddings) is None


def test_a_model_without_reference_has_none(case, tmp_path):
    onnx_model.write(tmp_path / "exported", ["A", "B"])
    model = ExportedModel.load(tmp_path / "exported")
    assert training_neighbours.nearest(model, *case[1:]) is None
