from xml.etree import ElementTree

import pandas as pd
import pytest

from trackbed.judging import robustness
from trackbed.learning.corruptions import NAMES
from trackbed.telling import corruption_figures


@pytest.fixture
def table():
    rows = [("none", 0, 0.9, 0.92)]
    rows += [(name, n, 0.9 - n / 10, 0.92 - n / 10) for name in NAMES for n in range(1, 6)]
    return pd.DataFrame(rows, columns=list(robustness.TYPES))


def test_every_corruption_has_a_line_of_its_own(table):
    found = corruption_figures.drawn(table)
    assert list(found) == ["corrupted_accuracy", "corrupted_macro_f1"]
    svg = ElementTree.fromstring(found["corrupted_accuracy"])
    texts = {"".join(text.itertext()).strip() for text in svg.iter("text")}
    assert set(NAMES) < texts
    assert "0.920 on clean images; at grade 5: noise 0.420, blur 0.420" in svg.get("aria-label")
    assert len(set(corruption_figures.LINES)) >= len(NAMES)


def test_nothing_is_drawn_where_nothing_was_asked_for(table):
    assert corruption_figures.drawn(table[:1]) == {}
