"""What the lightbox knows of the first pictures: maps, and which picture each is."""

import base64

import fabricated
import numpy as np
import pytest
import unpacking

from trackbed.gallery import closer_look, predicted_pictures
from trackbed.inference import class_activation
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import index
from trackbed.records import reader


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    fabricated.run(folder, per_class=20)
    run = fabricated.read(folder)
    found = index.FINDINGS_TABLE.read(run.records)
    answers, table = run.evaluation, run.data.index
    part = predicted_pictures.joined(answers.predictions, table, answers.positions, found, None)
    project = closer_look.Project(run.records, run.models, run.exported, table)
    return part, project, closer_look.content(part, project, least=32)


def test_it_is_about_the_first_pictures_of_the_gallery(case):
    part, _, found = case
    rows = unpacking.numbers(found["row"])
    assert rows.tolist() == part.order[: closer_look.PICTURES].tolist()
    assert len(found["pictures"]) == len(rows)
    assert "neighbours" not in found  # the model came without reference.npz


def test_maps_are_those_of_the_explainer(case):
    part, project, found = case
    row = unpacking.numbers(found["row"])[0]
    packed = found["maps"]
    assert (packed["high"], packed["wide"], packed["classes"]) == (4, 4, 2)
    values = np.frombuffer(base64.b64decode(packed["values"]), np.uint8)
    model = ExportedModel.load(project.exported)
    image = reader.pixels(project.records, part.rows.iloc[[row]], model.side, model.side)
    explainer = class_activation.read(model)
    labels = np.array([part.predicted[row], part.true[row]])
    _, maps = explainer.explained(np.repeat(image, 2, axis=0), labels)
    expected = np.maximum(maps, 0) / max(maps.max(), 1e-12) * 255
    assert values[:32].reshape(2, 4, 4) == pytest.approx(expected, abs=1)


def test_large_maps_are_averaged():
    maps = np.zeros((1, 28, 28), np.float32)
    maps[0, :14] = 2  # the upper half
    packed = closer_look.packed_maps([maps, maps / 2 - 1])
    assert (packed["high"], packed["wide"]) == (14, 14)
    values = np.frombuffer(base64.b64decode(packed["values"]), np.uint8).reshape(2, 14, 14)
    assert (values[0, :7] == 255).all()
    assert not values[0, 7:].any()
    assert not values[1].any()  # nothing speaks for that class
