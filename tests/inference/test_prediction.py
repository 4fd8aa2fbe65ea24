from collections import Counter

import colour_model
import numpy as np
import pytest
from PIL import Image

from trackbed.inference import answers, inputs, novelty, prediction
from trackbed.inference.decoding_threads import Opened
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.inputs import Input, RecordPlace
from trackbed.inference.prediction import Predictor

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


@pytest.fixture
def pictures(tmp_path):
    """A folder of pictures, some of them damaged."""
    folder = tmp_path / "new"
    folder.mkdir()
    for number in range(40):
        path = folder / f"{number}.png"
        if number % 7 == 3:
            path.write_bytes(b"nothing")
        else:
            colour = tuple(COLOURS.values())[number % 3]
            Image.new("RGB", (20 + number, 20), colour).save(path)
    return folder


def predicted(model, folder, batch=32, threads=2):
    predictor = Predictor(model, answers.rules(model.description), batch, threads)
    return list(predictor.predictions(inputs.listed([str(folder)], bytes).pictures))


def test_every_picture_has_an_answer_or_a_reason_in_order(tmp_path, pictures):
    model = ExportedModel.load(colour_model.write(tmp_path / "exported"))
    found = predicted(model, pictures)
    assert [one.name for one in found] == [f"{pictures}/{number}.png" for number in range(40)]
    for number, one in enumerate(found):
        if number % 7 == 3:
            assert (one.answer, one.reason) == (None, "not an image")
        else:
            assert one.answer.class_name == list(COLOURS)[number % 3]
            expected = np.array(COLOURS[one.answer.class_name], np.float32) / 255
            np.testing.assert_allclose(one.embedding, expected, rtol=1e-6)


def test_batch_and_threads_change_nothing(tmp_path, pictures):
    model = ExportedModel.load(colour_model.write(tmp_path / "exported"))
    reference = predicted(model, pictures)
    for batch, threads in ((1, 1), (7, 3), (1000, 8)):
        for one, other in zip(predicted(model, pictures, batch, threads), reference, strict=True):
            assert (one.name, one.answer, one.reason) == (other.name, other.answer, other.reason)


def test_novelty_is_the_share_of_held_out_images_that_are_nearer(tmp_path, pictures):
    model = ExportedModel.load(colour_model.write(tmp_path / "exported"))
    red, orange, purple = np.float32([[1, 0, 0], [1, 0.5, 0], [1, 0, 1]])
    reference = novelty.build(red[None], np.stack([red, orange, purple]))
    predictor = Predictor(model, answers.rules(model.description), 32, 2, reference)
    found = predictor.predictions(inputs.listed([str(pictures)], bytes).pictures)
    by_class = {one.answer.class_name: one.novelty for one in found if one.answer}
    assert by_class == {"red": 0, "green": 0.75, "blue": 0.75}


def test_a_batch_has_so_many_decoded_pictures():
    pixels = {"x": np.empty(0), "-": None}
    opened = [Opened(Input(kind, ""), kind, pixels[kind]) for kind in "x--xx-x-"]
    found = ["".join(one.name for one in some) for some in prediction.batches(opened, 2)]
    assert found == ["x--x", "x-x", "-"]
    assert list(prediction.batches([], 2)) == []


def test_records_of_one_name_are_told_apart():
    names = prediction.RecordNames()

    def name(given, number):
        place = None if number is None else RecordPlace(number, 0, 0)
        return names.unique(Opened(Input("a.tfrecord", "", record=place), given))

    given = [("x", 0), ("y", 1), ("x", 2), ("x", None)]
    found = [name(*one) for one in given]
    assert found == ["x", "y", "x (a.tfrecord#2)", "x"]
    assert max(Counter(found[:3]).values()) == 1
