"""The cells of the confusion matrix, by hand."""

import pandas as pd

from trackbed.gallery import confusion_cells


def test_cells_by_hand():
    names = ["A", "B", "C"]
    matrix = pd.DataFrame([[8, 0, 2], [0, 0, 0], [1, 0, 399]], index=names, columns=names)
    first, last = confusion_cells.rows(matrix, ["A", "C"])
    assert (first.name, first.label, last.name, last.label) == ("A", 0, "C", 2)
    cells = [(one.label, one.images, one.share, one.right, one.percent) for one in first.cells]
    assert cells == [(0, 8, 0.8, True, "80"), (2, 2, 0.2, False, "20")]
    assert last.cells[0].percent == "<1"


def test_a_class_without_images_has_empty_cells():
    matrix = pd.DataFrame([[3, 0], [0, 0]], index=["A", "B"], columns=["A", "B"])
    _, row = confusion_cells.rows(matrix, ["A", "B"])
    assert [(one.images, one.share, one.percent) for one in row.cells] == [(0, 0.0, "0")] * 2
