"""Every sentence of the page of explanations fits the pictures that are on it."""

import re

import numpy as np
import pandas as pd
import pytest

from trackbed.explanation.explained import Evidence, Explained
from trackbed.pages import explanations_page

COMPARED = "in the same colours: compare their brightness"


def entry(true, predicted, *further):
    """An explained picture with maps for its classes and for `further` ones."""
    names = dict.fromkeys([predicted, true or predicted, *further])
    maps = [Evidence(name, np.ones((4, 3), np.float32)) for name in names]
    return Explained("a.jpg", np.zeros((8, 8, 3), np.uint8), true, predicted, 0.9, maps)


def predictions(*pairs, names="ABCDEFGHI"):
    """True and predicted classes as a table of predictions."""
    table = pd.DataFrame(pairs, columns=["true", "predicted"])
    table = table.assign(record=range(len(table)), filename="a.jpg", confidence=0.9)
    return table.assign(**{f"p_{name}": 0.0 for name in names})


def text_of(found, folder):
    explanations_page.write(folder / "page.html", found)
    body = (folder / "page.html").read_text("utf-8").partition("<body>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body.partition("<script>")[0]).split())


def test_given_pictures_are_not_called_mistakes(tmp_path):
    text = text_of(explanations_page.of_pictures("net", [entry(None, "A")] * 2, []), tmp_path)
    assert "istake" not in text
    assert COMPARED not in text
    assert "a grid of 4 x 3 cells" in text


def test_given_pictures_with_another_class_compare_their_maps(tmp_path):
    found = explanations_page.of_pictures("net", [entry(None, "A", "B")], [])
    assert f"A picture has a map for each class, {COMPARED}" in text_of(found, tmp_path)


def test_pictures_that_were_not_looked_at_are_counted(tmp_path):
    found = explanations_page.of_pictures("net", [entry(None, "A")], [], further=1200)
    assert "1,200 more pictures not looked at" in text_of(found, tmp_path)


def test_a_page_without_a_picture_explains_no_map(tmp_path):
    found = explanations_page.of_pictures("net", [], [("b.jpg", "truncated")])
    text = text_of(found, tmp_path)
    assert "None could be read." in text
    assert "b.jpg : truncated" in text
    assert "Beside each picture" not in text


WRONG, RIGHT = ("A", "B"), ("A", "A")


@pytest.mark.parametrize(
    ("shown", "all_of_them", "sentence"),
    [
        (0, [RIGHT], "None on 1 test image."),
        (0, [WRONG, RIGHT], "1 mistake on 2 test images, not shown here."),
        (1, [WRONG, RIGHT], "The only mistake on 2 test images."),
        (2, [WRONG, WRONG], "All 2 on 2 test images."),
        (1, [WRONG, WRONG], "The one with the highest confidence, of 2 mistakes on 2 test images."),
        (2, [WRONG] * 3, "The 2 with the highest confidence, of 3 mistakes on 3 test images."),
    ],
)
def test_mistakes_are_counted(shown, all_of_them, sentence, tmp_path):
    found = explanations_page.of_test_part(
        "net", [entry(*WRONG)] * shown, [], predictions(*all_of_them)
    )
    text = text_of(found, tmp_path)
    assert sentence in text
    assert (COMPARED in text) == (shown > 0)


@pytest.mark.parametrize(
    ("shown", "all_of_them", "sentence"),
    [
        ("", [WRONG], "None on 1 test image."),
        ("", [RIGHT] * 3, "3 right answers, not shown here."),
        ("AB", [RIGHT, ("B", "B")], "the surest right answer of each class."),
        ("AAB", [RIGHT, RIGHT, ("B", "B")], "right answers of each class, from the surest"),
        ("A", [RIGHT, ("B", "A")], "each class. No right answer: B."),
    ],
)
def test_right_answers_are_described(shown, all_of_them, sentence, tmp_path):
    right = [entry(name, name) for name in shown]
    found = explanations_page.of_test_part("net", [], right, predictions(*all_of_them, names="AB"))
    assert sentence in text_of(found, tmp_path)


def test_many_classes_without_a_right_answer_are_counted(tmp_path):
    found = explanations_page.of_test_part("net", [], [entry("A", "A")], predictions(RIGHT))
    assert "No right answer: B, C, D, E, F and 3 more." in text_of(found, tmp_path)
