from xml.etree import ElementTree

import pytest

from trackbed.reporting import figure_style


@figure_style.styled
def line(key="line", description="A < B"):
    figure, axes = figure_style.axes(300, 200)
    axes.plot([1, 2, 3], [1, 4, 9], color=figure_style.BLUE)
    return figure_style.inline(figure, key, description)


def test_a_figure_is_an_svg_element_with_its_description():
    root = ElementTree.fromstring(line())
    assert (root.tag, root.get("role"), root.get("aria-label")) == ("svg", "img", "A < B")
    assert [float(number) for number in root.get("viewBox").split()[2:]] == pytest.approx(
        [300, 200]
    )


def test_equal_figures_are_equal_and_keys_give_other_ids():
    def ids(svg):
        return {node.get("id") for node in ElementTree.fromstring(svg).iter() if node.get("id")}

    assert line() == line()
    assert ids(line()) and not ids(line()) & ids(line(key="other"))


def test_colours_are_variables_in_the_page_and_values_in_a_file():
    assert "var(--" in line()
    alone = figure_style.standalone(line())
    assert "var(--" not in alone
    assert ElementTree.fromstring(alone).tag == "{http://www.w3.org/2000/svg}svg"


def test_no_rule_of_style_reaches_the_whole_page():
    assert "<style" not in line()
