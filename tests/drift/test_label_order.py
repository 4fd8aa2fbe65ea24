import numpy as np
import pytest

from trackbed.drift import label_order
from trackbed.drift.label_order import ToLabel
from trackbed.inference.inputs import Input, RecordPlace
from trackbed.pipeline.errors import UserError


def test_uncertainties_by_hand():
    probabilities = np.array([[0.5, 0.4, 0.1], [0.9, 0.05, 0.05], [1.0, 0.0, 0.0]])
    assert label_order.uncertainties(probabilities) == pytest.approx([0.9, 0.15, 0.0])


def test_priorities_are_mean_ranks():
    probabilities = np.array([[0.5, 0.5], [0.7, 0.3], [0.9, 0.1]])  # ranks 3, 2, 1
    assert label_order.priorities(probabilities, None) == pytest.approx([1, 2 / 3, 1 / 3])
    novelty = np.array([0.1, 0.2, 0.9])  # ranks 1, 2, 3
    assert label_order.priorities(probabilities, novelty) == pytest.approx([2 / 3] * 3)


def test_the_next_picture_is_another_kind():
    # Three frames of one place are the most uncertain; the fourth picture is far from them.
    embeddings = np.array([[0.0, 0], [0, 0.01], [0.01, 0], [5, 5], [0, 0]])
    priority = np.array([1.0, 0.9, 0.8, 0.5, 0.1])
    assert label_order.label_order(embeddings, priority, 2) == [0, 3]


def test_no_more_pictures_than_there_are():
    equal = np.zeros((3, 2))
    assert sorted(label_order.label_order(equal, np.ones(3), 10)) == [0, 1, 2]
    assert label_order.label_order(np.zeros((0, 2)), np.zeros(0), 2) == []


def test_a_manifest_holds_boxes_and_groups(tmp_path):
    inputs = [Input("a", "a", (1, 2, 9, 8), (10, 10)), Input("b", "b")]
    rows = [ToLabel(1, "GRAS", 0.5, None), ToLabel(0, "STONE", 0.25, 0.75)]
    text = label_order.manifest(
        rows, inputs, ["x/./a.png", "b.png"], ["d1", "d2"], tmp_path / "manifest.csv"
    )
    assert text.splitlines() == [
        "filename,label,group,left,top,right,bottom,width,height,proposal,confidence,novelty",
        "b.png,,d2,,,,,,,GRAS,0.5000,",
        "x/a.png,,d1,1,2,9,8,10,10,STONE,0.2500,0.7500",
    ]


@pytest.mark.parametrize(
    ("one", "name", "message"),
    [
        (Input("r", "r", record=RecordPlace(0, 0, 1)), "r#0", "a record of a TFRecord file"),
        (Input("a", "a"), "../a.png", "must lie in a folder above all pictures"),
        (Input("a", "a"), "=A1(2).png", "a spreadsheet would run"),
    ],
)
def test_what_a_manifest_cannot_name_is_an_error(tmp_path, one, name, message):
    with pytest.raises(UserError, match=message):
        label_order.manifest([ToLabel(0, "x", 1, None)], [one], [name], None, tmp_path / "m.csv")
