import re
from xml.etree import ElementTree

import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.telling import (
    class_figures,
    curve_figures,
    curves,
    dataset,
    figures,
    heatmap,
    results,
)


@pytest.fixture(scope="module", params=["five", "evil"])
def drawn(request, tmp_path_factory):
    names = {"five": fabricated.TRACK_BED, "evil": fabricated.EVIL}[request.param]
    return draw(tmp_path_factory.mktemp(request.param), names)


def draw(folder, names):
    """All figures of a fabricated run, and its class names."""
    paths = fabricated.run(folder, names)
    judged = results.read(*paths[6:9])
    counts = dataset.read(*paths[:3]).counts
    history, training = curves.read(paths[3]), curves.summary(paths[3])
    return figures.drawn(judged, counts, history, training), names


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("text")]


def matrix(counts, names):
    return pd.DataFrame(counts, index=names, columns=names)


def test_every_figure_is_well_formed_and_described(drawn):
    for name, svg in drawn[0].items():
        root = ElementTree.fromstring(svg)
        assert root.tag == "svg", name
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20


def test_no_id_stands_twice_in_a_page_and_every_reference_is_met(drawn):
    page = "".join(drawn[0].values())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert references
    assert references <= set(ids)


def test_a_figure_names_no_address_and_no_style_for_the_whole_page(drawn):
    page = "".join(drawn[0].values())
    assert "://" not in page
    assert "<style" not in page
    assert "font-family" not in page


def test_every_colour_follows_the_light_or_dark_page(drawn):
    styles = re.findall(r'style="([^"]*)"', "".join(drawn[0].values()))
    assert not [style for style in styles if re.search(r"#[0-9a-f]{6}", style)]


def test_names_stand_literally_in_the_figures(tmp_path):
    svgs, _ = draw(tmp_path, fabricated.EVIL)
    for key in ("distribution", "class_scores", "errors", "confusion"):
        assert "$x_1$ | `a`" in texts(svgs[key]), key
        assert "<script>" not in svgs[key]
        assert any(text.startswith("<script>") for text in texts(svgs[key]))


def test_the_same_tables_give_the_same_bytes(tmp_path):
    first, _ = draw(tmp_path / "a", fabricated.TRACK_BED)
    again, _ = draw(tmp_path / "b", fabricated.TRACK_BED)
    assert first == again


def test_the_heat_map_shows_every_count_but_zero():
    counts = [[31, 2, 0], [0, 47, 5], [0, 0, 0]]
    shown = texts(heatmap.confusion(matrix(counts, ["A", "B", "C"])))
    assert sorted(text for text in shown if text.isdigit()) == ["2", "31", "47", "5"]
    assert shown.count("A") == 2  # a row and a column


def test_the_shade_of_a_cell_is_its_share_of_the_row():
    svg = heatmap.confusion(matrix([[3, 1], [0, 8]], ["A", "B"]))
    shades = re.findall(r"fill: var\(--deep\); fill-opacity: ([\d.]+)|fill: var\(--deep\)\"", svg)
    # 0.1 + 0.9 * share, for 3/4 and 1/4; a full row is opaque.
    assert [float(shade or 1) for shade in shades] == pytest.approx([0.775, 0.325, 1.0])


@pytest.mark.parametrize(("classes", "widest"), [(2, 300), (43, 1250)])
def test_the_heat_map_is_of_a_size_that_suits_its_classes(classes, widest):
    counts = 750 * np.eye(classes, dtype=int)
    svg = heatmap.confusion(matrix(counts, [f"{n:02d}" for n in range(classes)]))
    width = float(ElementTree.fromstring(svg).get("viewBox").split()[2])
    assert 150 < width < widest
    sizes = re.findall(r"font-size: ([\d.]+)px", svg)
    assert min(map(float, sizes)) >= 9


def test_the_best_epoch_is_marked_and_told(tmp_path):
    fabricated.write_training(tmp_path, epochs=6)
    history = curves.read(tmp_path)
    history.loc[4, "val/loss"] = 0.125
    svg = curve_figures.curve(history, "loss", 4)
    assert "best (4)" in texts(svg)
    assert "Best epoch 4: validation 0.125." in ElementTree.fromstring(svg).get("aria-label")
    assert "best" not in "".join(texts(curve_figures.curve(history, "loss", None)))


@pytest.mark.parametrize("rates", [[0.0], [0.001], [0.001] * 5, [1e-3, 1e-4, 1e-6]])
def test_learning_rates_are_written_as_plain_numbers(rates):
    history = pd.DataFrame({"learning_rate": rates}, index=range(1, len(rates) + 1))
    shown = "".join(texts(curve_figures.learning_rate(history)))
    assert "$" not in shown
    assert "math" not in shown


def test_a_loss_that_is_not_finite_is_drawn_as_a_gap(tmp_path):
    fabricated.write_training(tmp_path, epochs=3)
    history = curves.read(tmp_path)
    history.loc[2, "val/loss"] = np.nan
    history.loc[3, "val/loss"] = np.inf
    svg = curve_figures.curve(history, "loss", 3)
    assert not re.search(r"\b(nan|inf)\b", svg)


def test_the_radar_tells_the_macro_averages():
    values = pd.Series({"precision": 0.5, "recall": 0.25, "specificity": 1.0, "f1": 0.3333})
    svg = class_figures.radar(pd.concat([values, pd.Series({"accuracy": 0.9})]))
    assert "precision 0.500, recall 0.250, specificity 1.000, F1 0.333, accuracy 0.900" in svg
