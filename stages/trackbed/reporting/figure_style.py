"""Colours, fonts and axes of all figures, and their SVG."""

import io
import re
import warnings
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Okabe and Ito's colour-blind safe palette (https://jfly.uni-koeln.de/color/) and greys.
# The page gives every colour a second value for dark mode, under the name of its CSS variable.
INK, MUTED, LINE, PAPER = "#1d2125", "#5b6470", "#d5dae0", "#fefefe"
BLUE, ORANGE, DEEP = "#0072b2", "#d55e00", "#003f66"
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    LINE: "--line",
    PAPER: "--paper",
    BLUE: "--blue",
    ORANGE: "--orange",
    DEEP: "--deep",
}
STYLE = {
    "svg.fonttype": "none",  # text stays text: the reader's font, selectable, any script
    "text.parse_math": False,  # a class may be called $x$
    "font.size": 12.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 12.0,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": LINE,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 11.0,
}
POINTS_PER_INCH = 72
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
# Below this share of its natural width a figure is scrolled instead of made smaller.
SMALLEST = 0.75

styled = matplotlib.rc_context(STYLE)
"""Decorator of a function that makes a figure, saving included."""


def axes(width: float, height: float, **options: str) -> tuple[Figure, Axes]:
    """An empty figure of `width` x `height` CSS pixels with one pair of axes."""
    size = (width / POINTS_PER_INCH, height / POINTS_PER_INCH)
    figure = Figure(size, dpi=POINTS_PER_INCH, layout="constrained")
    return figure, figure.add_subplot(**options)


def legend(axes: Axes, title: str, rows: int = 1) -> None:
    """The title in a line of its own, the legend in `rows` between it and the axes."""
    axes.set_title(title, loc="left", pad=12 + 16 * rows)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3 if rows == 1 else 1,
        borderaxespad=0.3,
        borderpad=0,
        handlelength=1.6,
        columnspacing=1.4,
        labelspacing=0.2,
    )


def inline(figure: Figure, key: str, description: str) -> Markup:
    """The figure as an `svg` element for HTML, read out as `description`.

    `key` must differ between the figures of a page: ids are derived from it. The same figure
    and key give the same text.
    """
    written = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": key}), warnings.catch_warnings():
        # The reader's browser has glyphs that matplotlib's font has not.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        # As figure.savefig, which draws everything twice to find the layout.
        canvas = FigureCanvasSVG(figure)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")
        canvas.print_svg(written, metadata=nothing)
    root = ElementTree.fromstring(written.getvalue().encode())
    width = float(root.get("viewBox", "").split()[2])
    for element in root.iter():
        _adapt(element)
    _drop_page_wide_style(root)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": description,
        "style": f"width: {width:.0f}px; min-width: {SMALLEST * width:.0f}px",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def standalone(svg: Markup) -> str:
    """A figure made by `inline` as a file of its own, in light colours, on white."""
    text = str(svg)
    for colour, variable in VARIABLES.items():
        text = text.replace(f"var({variable})", colour)
    root = ElementTree.fromstring(text)
    width, height = root.attrib["viewBox"].split()[2:]
    description = root.attrib["aria-label"]
    root.attrib = {
        "xmlns": SVG.strip("{}"),
        "viewBox": root.attrib["viewBox"],
        "width": width,
        "height": height,
        "font-family": "sans-serif",
        "role": "img",
        "aria-label": description,
    }
    root.insert(0, ElementTree.Element("rect", width="100%", height="100%", fill="white"))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _adapt(element: ElementTree.Element) -> None:
    """HTML knows no namespaces; ids of groups repeat from figure to figure; colours are names."""
    element.tag = element.tag.removeprefix(SVG)
    element.attrib = {
        key.removeprefix(XLINK): value
        for key, value in element.attrib.items()
        if not (key == "id" and element.tag == "g")
    }
    if "style" in element.attrib:
        style = re.sub(r"font-family:[^;]*;? ?", "", element.attrib["style"])
        for colour, variable in VARIABLES.items():
            style = style.replace(colour, f"var({variable})")
        element.attrib["style"] = style


def _drop_page_wide_style(root: ElementTree.Element) -> None:
    """Matplotlib's rule `*{stroke-linejoin: round}` would hold for the whole page."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "style":
                parent.remove(child)
