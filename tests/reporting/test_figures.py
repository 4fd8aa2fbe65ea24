import re
from xml.etree import ElementTree

import fabricated
import numpy as np
import pandas as pd
import pytest

from trackbed.evaluation import calibration, robustness
from trackbed.evaluation.robustness import NAMES
from trackbed.reporting import class_figures, confidence, figure_style, figures, training_log


@pytest.fixture
def table():
    rows = [("none", 0, 0.9, 0.92)]
    rows += [(name, n, 0.9 - n / 10, 0.92 - n / 10) for name in NAMES for n in range(1, 6)]
    return pd.DataFrame(rows, columns=list(robustness.COLUMNS))


def test_every_corruption_has_a_line_of_its_own(table):
    found = figures.robustness_figures(table)
    assert list(found) == ["corrupted_accuracy", "corrupted_macro_f1"]
    svg = ElementTree.fromstring(found["corrupted_accuracy"])
    texts = {"".join(text.itertext()).strip() for text in svg.iter("text")}
    assert set(NAMES) < texts
    assert "0.920 on clean images; at grade 5: noise 0.420, blur 0.420" in svg.get("aria-label")
    assert len(set(figures.LINES)) >= len(NAMES)


def test_without_corruptions_there_is_no_figure(table):
    assert figures.robustness_figures(table[:1]) == {}


@pytest.fixture(params=["ordinary", "evil"])
def svgs(request):
    """The figures of a page."""
    page = request.getfixturevalue(request.param).page
    found = re.findall(r"<svg viewBox.*?</svg>", page, re.DOTALL)
    assert len(found) == 15
    return found


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter("text")]


def matrix(counts, names):
    return pd.DataFrame(counts, index=names, columns=names)


def test_every_figure_is_well_formed_and_described(svgs):
    for svg in svgs:
        root = ElementTree.fromstring(svg)
        assert root.tag == "svg"
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20


def test_ids_are_unique_and_every_reference_is_met(svgs):
    page = "".join(svgs)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert references
    assert references <= set(ids)


def test_a_figure_has_no_address_and_no_page_wide_style(svgs):
    page = "".join(svgs)
    assert "://" not in page
    assert "<style" not in page
    assert "font-family" not in page


def test_every_colour_follows_the_light_or_dark_page(svgs):
    styles = re.findall(r'style="([^"]*)"', "".join(svgs))
    assert not [style for style in styles if re.search(r"#[0-9a-f]{6}", style)]


def test_names_are_literal_in_the_figures(evil):
    for key in ("distribution", "class_scores", "errors", "confusion"):
        svg = (evil.folder / f"plots/figures/{key}.svg").read_text()
        root = ElementTree.fromstring(svg)
        found = ["".join(node.itertext()) for node in root.iter(f"{figure_style.SVG}text")]
        assert "$x_1$ | `a`" in found, key
        assert "<script>" not in svg
        assert any(text.startswith("<script>") for text in found)


def test_the_best_epoch_is_marked_and_described(tmp_path):
    fabricated.write_training(tmp_path, epochs=6)
    history = training_log.read(tmp_path).curves
    history.loc[4, "val/loss"] = 0.125
    svg = training_log.curve_figure(history, "loss", 4)
    assert "best (4)" in texts(svg)
    assert "Best epoch 4: validation 0.125." in ElementTree.fromstring(svg).get("aria-label")
    assert "best" not in "".join(texts(training_log.curve_figure(history, "loss", None)))


@pytest.mark.parametrize("rates", [[0.0], [0.001], [0.001] * 5, [1e-3, 1e-4, 1e-6]])
def test_learning_rates_are_written_as_plain_numbers(rates):
    history = pd.DataFrame({"learning_rate": rates}, index=range(1, len(rates) + 1))
    found = "".join(texts(training_log.learning_rate_figure(history)))
    assert "$" not in found
    assert "math" not in found


def test_a_loss_that_is_not_finite_is_a_gap(tmp_path):
    fabricated.write_training(tmp_path, epochs=3)
    history = training_log.read(tmp_path).curves
    history.loc[2, "val/loss"] = np.nan
    history.loc[3, "val/loss"] = np.inf
    svg = training_log.curve_figure(history, "loss", 3)
    assert not re.search(r"\b(nan|inf)\b", svg)


def bins(probabilities, labels, calibrated=None):
    after = probabilities if calibrated is None else calibrated
    tables = [
        calibration.reliability(np.array(shares), np.array(labels))
        for shares in (probabilities, after)
    ]
    return calibration.beside(*tables)


def test_the_histogram_counts_right_and_wrong_answers():
    svg = confidence.histogram_figure(bins([[0.9, 0.1]] * 3 + [[0.6, 0.4]], [0, 0, 0, 1]))
    assert {"right (3)", "wrong (1)"} <= set(texts(svg))
    assert "3 right predictions and 1 wrong one." in ElementTree.fromstring(svg).get("aria-label")


def test_the_reliability_diagram_names_its_largest_gap():
    # Confidence 0.9, right in 10 of 20: 0.4 apart; a bin of one image is hollow.
    table = bins([[0.9, 0.1]] * 20 + [[0.55, 0.45]], [0] * 10 + [1] * 10 + [0])
    svg = confidence.reliability_figure(table)
    assert "2 bins; largest distance 0.45" in ElementTree.fromstring(svg).get("aria-label")
    assert {"reported", "with temperature"} <= set(texts(svg))
    assert "fill-opacity: 0" in svg or "fill: none; stroke: var(--blue)" in svg


def test_the_threshold_is_a_point_on_the_curve_of_what_remains():
    table = pd.DataFrame({"threshold": [0.3, 0.8], "coverage": [1, 0.5], "accuracy": [0.9, 1.0]})
    scores = {"refusal_threshold": 0.8, "refusal_precision": 1.0, "refusal_coverage": 0.5}
    svg = confidence.coverage_figure(table, scores)
    assert {"every threshold", "threshold 0.80"} <= set(texts(svg))
    assert "0.900 at the lowest. Threshold 0.800: 1.000." in svg
    without = confidence.coverage_figure(table, dict.fromkeys(scores))
    assert "every threshold" in texts(without)
    assert "Threshold" not in ElementTree.fromstring(without).get("aria-label")


def test_balance_pairs_training_images_with_f1():
    counts = pd.DataFrame({"train": [10, 20, 30, 5], "test": [1, 2, 3, 0]}, index=list("ABCD"))
    f1 = pd.DataFrame({"f1": [0.5, 0.9, 0.7, np.nan]}, index=list("ABCD"))
    table = figures.class_balance(counts, f1)
    assert table.iloc[1].tolist() == ["B", 20, 2, 0.9]
    # Ranks 1, 2, 3 against 1, 3, 2: 1 - 6 * (0 + 1 + 1) / (3 * 8); D has no F1.
    assert figures.rank_correlation(table) == pytest.approx(0.5)
    assert figures.rank_correlation(table[:2]) is None
    svg = figures.balance_figure(table)
    assert {"A", "B", "C"} <= set(texts(svg))
    assert "D" not in texts(svg)


@pytest.mark.parametrize("f1", [[np.nan] * 3, [1.0] * 3, [0.0] * 3])
def test_the_balance_has_a_figure_whatever_the_scores(f1):
    counts = pd.DataFrame({"train": [1, 1000, 30], "test": [1, 1, 1]}, index=list("ABC"))
    table = figures.class_balance(counts, pd.DataFrame({"f1": f1}))
    assert figures.rank_correlation(table) is None
    assert ElementTree.fromstring(figures.balance_figure(table)).tag == "svg"


def test_a_figure_is_also_a_file_with_colours_of_its_own(tmp_path):
    svg = class_figures.confusion(matrix([[3, 1], [0, 8]], ["A <b>", "B"]))
    figures.write(tmp_path / "figures", {"confusion": svg})
    text = (tmp_path / "figures/confusion.svg").read_text()
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in text
    assert figure_style.DEEP in text
    assert "A <b>" in ["".join(node.itertext()) for node in root.iter(f"{figure_style.SVG}text")]
    assert figure_style.standalone(svg) == text
