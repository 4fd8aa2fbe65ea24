"""Which pictures are explained, by which classes, and with which maps."""

import fabricated
import numpy as np
import onnx_model
import pandas as pd
import pytest

from trackbed.explanation import explained, explainers
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.records import reader

NAMES = ["A", "B", "C"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return ExportedModel.load(onnx_model.write(tmp_path_factory.mktemp("model") / "e", NAMES))


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The folder of some records, and their index."""
    folder = tmp_path_factory.mktemp("records") / "records"
    return folder, fabricated.write_records(folder, NAMES, [6] * 3)


def predicted(model, records, rows):
    """The model's own predictions for some rows of the index."""
    images = reader.pixels(records[0], rows, model.side, model.side)
    return tables.predictions(rows, NAMES, model.probabilities(images))


def test_a_mistake_is_explained_by_both_classes_and_a_right_answer_by_one(model, records):
    folder, table = records
    rows = table[table["part"] == "test"].head(18)
    predictions = predicted(model, records, rows)
    explainer = explainers.explainer(model, folder)
    found = explained.of_predictions(explainer, predictions, NAMES, folder, table, model.side)
    assert [one.filename for one in found] == predictions["filename"].tolist()
    for one in found:
        names = [evidence.class_name for evidence in one.evidence]
        assert names == ([one.true] if one.right else [one.predicted, one.true])
        assert one.picture.shape == (48, 64, 3)
        assert one.evidence[0].values.shape == (4, 4)
    assert {one.right for one in found} == {True, False}


def test_a_wanted_class_has_a_map_once(model, records):
    folder, table = records
    predictions = predicted(model, records, table[table["part"] == "test"].head(1))
    explainer = explainers.explainer(model, folder)
    (found,) = explained.of_predictions(
        explainer, predictions, NAMES, folder, table, model.side, wanted=["C", "A"]
    )
    names = [one.class_name for one in found.evidence]
    assert names[0] == found.predicted
    assert sorted(names) == sorted({found.predicted, found.true, "A", "C"})


def test_maps_do_not_depend_on_the_batch(model, records, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3)).astype(np.uint8)
    names = [NAMES[: 1 + place % 3] for place in range(9)]
    explainer = explainers.explainer(model, records[0])
    shares, whole = explained.evidence_of(explainer, images, names, NAMES)
    monkeypatch.setattr(explained, "BATCH", 2)
    assert np.array_equal(explained.evidence_of(explainer, images, names, NAMES)[0], shares)
    for some, all_of in zip(
        explained.evidence_of(explainer, images, names, NAMES)[1], whole, strict=True
    ):
        assert [one.class_name for one in some] == [one.class_name for one in all_of]
        for one, other in zip(some, all_of, strict=True):
            np.testing.assert_allclose(one.values, other.values, rtol=1e-5, atol=1e-6)


def test_predictions_of_another_model_are_refused(model, records):
    folder, table = records
    predictions = predicted(model, records, table[table["part"] == "test"].head(6))
    following = dict(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    changed = predictions.assign(predicted=predictions["predicted"].map(following))
    explainer = explainers.explainer(model, folder)
    with pytest.raises(UserError, match="of another model than the exported one"):
        explained.of_predictions(explainer, changed, NAMES, folder, table, model.side, checked=True)


def test_right_answers_are_spread_over_the_confidence_of_each_class():
    rows = [("A", "A", c) for c in (0.5, 0.9, 0.7, 0.6, 0.8)] + [("B", "A", 0.99), ("C", "C", 0.4)]
    table = pd.DataFrame(rows, columns=["true", "predicted", "confidence"])
    table.insert(0, "record", range(len(table)))
    table = table.assign(filename="x", group="g")[[*tables.PREDICTION_COLUMNS]]
    table = table.assign(p_A=0.0, p_B=0.0, p_C=0.0)
    found = explained.right_per_class(table, 3)
    assert found["confidence"].tolist() == [0.9, 0.7, 0.5, 0.4]
    assert explained.right_per_class(table, 0).empty


def test_no_picture_is_explained_without_an_error(model, records):
    folder, table = records
    predictions = predicted(model, records, table.head(3)).head(0)
    explainer = explainers.explainer(model, folder)
    arguments = (explainer, predictions, NAMES, folder, table, model.side)
    assert explained.of_predictions(*arguments) == []


def test_without_an_explainer_pictures_have_no_map(model, records):
    folder, table = records
    predictions = predicted(model, records, table.head(2))
    found = explained.of_predictions(None, predictions, NAMES, folder, table, model.side)
    assert [list(one.evidence) for one in found] == [[], []]
