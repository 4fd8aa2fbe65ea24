import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from trackbed.reporting import class_figures


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("text")]


def matrix(counts, names):
    return pd.DataFrame(counts, index=names, columns=names)


def test_the_heat_map_shows_every_count_but_zero():
    counts = [[31, 2, 0], [0, 47, 5], [0, 0, 0]]
    found = texts(class_figures.confusion(matrix(counts, ["A", "B", "C"])))
    assert sorted(text for text in found if text.isdigit()) == ["2", "31", "47", "5"]
    assert found.count("A") == 2  # a row and a column


def test_the_shade_of_a_cell_is_its_share_of_the_row():
    svg = class_figures.confusion(matrix([[3, 1], [0, 8]], ["A", "B"]))
    shades = re.findall(r"fill: var\(--deep\); fill-opacity: ([\d.]+)|fill: var\(--deep\)\"", svg)
    # 0.1 + 0.9 * share, for 3/4 and 1/4; a full row is opaque.
    assert [float(shade or 1) for shade in shades] == pytest.approx([0.775, 0.325, 1.0])


@pytest.mark.parametrize(("classes", "widest"), [(2, 300), (43, 1250)])
def test_the_heat_map_is_of_a_size_that_suits_its_classes(classes, widest):
    counts = 750 * np.eye(classes, dtype=int)
    svg = class_figures.confusion(matrix(counts, [f"{n:02d}" for n in range(classes)]))
    width = float(ElementTree.fromstring(svg).get("viewBox").split()[2])
    assert 150 < width < widest
    sizes = re.findall(r"font-size: ([\d.]+)px", svg)
    assert min(map(float, sizes)) >= 9


def test_the_class_of_the_lowest_f1_is_on_top_with_its_interval():
    table = pd.DataFrame(
        {
            "precision": [0.9, 0.5, np.nan],
            "recall": [0.8, 0.7, np.nan],
            "f1": [0.85, 0.58, np.nan],
            "f1_low": [0.7, 0.5, np.nan],
            "f1_high": [0.95, 0.66, np.nan],
        },
        index=["good", "weak", "empty"],
    )
    svg = class_figures.class_scores(table)
    found = texts(svg)
    assert found.index("weak") < found.index("good") < found.index("empty")
    assert "n/a" in found
    lines = re.findall(r'<path d="M ([\d.]+) ([\d.]+) ?\s*L ([\d.]+) \2', svg)
    widths = sorted(float(right) - float(left) for left, _, right in lines)
    assert any(b / a == pytest.approx(0.25 / 0.16, rel=0.01) for a in widths for b in widths if a)


def test_the_radar_has_the_macro_averages():
    values = pd.Series({"precision": 0.5, "recall": 0.25, "specificity": 1.0, "f1": 0.3333})
    svg = class_figures.radar(pd.concat([values, pd.Series({"accuracy": 0.9})]))
    assert (
        "precision 0.500, recall 0.250, specificity 1.000, F1 0.333, one-vs-rest accuracy 0.900"
        in svg
    )


def test_the_heat_map_in_percent_adds_up_to_the_row():
    counts = [[150, 50, 0], [1, 250, 0], [0, 0, 0]]
    found = texts(class_figures.confusion(matrix(counts, ["A", "B", "C"]), percent=True))
    assert sorted(found[-4:]) == ["100", "25", "75", "<1"]


def test_of_many_classes_the_weakest_are_kept_in_their_order():
    f1 = pd.DataFrame({"f1": np.r_[np.ones(50), np.zeros(60), [np.nan]]}, index=range(111))
    assert list(class_figures.weakest(f1).index) == [*range(40), *range(50, 110)]
    assert len(class_figures.weakest(f1.head(100))) == 100


def test_of_many_classes_the_smallest_and_the_largest_are_kept():
    counts = pd.DataFrame({"total": range(300)})
    assert list(class_figures.smallest_and_largest(counts).index) == [*range(50), *range(250, 300)]


def test_of_many_classes_those_with_mistakes_are_kept():
    counts = 5 * np.eye(200, dtype=int)
    counts[3, 150] = 2
    part = class_figures.most_confused(matrix(counts, range(200)))
    assert part.shape == (100, 100)
    assert list(part.index) == list(part.columns)
    assert {3, 150} <= set(part.index)
    assert len(texts(class_figures.confusion(matrix(counts, [str(n) for n in range(200)])))) < 350
