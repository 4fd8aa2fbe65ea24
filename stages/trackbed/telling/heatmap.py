"""The confusion matrix as a heat map, as inline SVG."""

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from trackbed.telling import canvas, wording
from trackbed.telling.canvas import DEEP, INK, LINE, PAPER

LABEL_COLUMNS = 22
# Side of a cell in CSS pixels: what fills a good page width, within these bounds.
GOOD_WIDTH, LARGEST_CELL, SMALLEST_CELL = 520, 84, 22
# From this share on, a cell is so dark (in dark mode: so light) that its number turns.
TURNING_SHARE = 0.62
FAINTEST = 0.1  # opacity of the smallest share that is not 0


@canvas.styled
def confusion(matrix: pd.DataFrame, *, percent: bool = False) -> Markup:
    """Images, rows the true and columns the predicted class, in the matrix's order.

    The shade of a cell is its share of the images of the true class; a cell of 0 stays empty.
    Numbers are counts, or that share in percent, '<1' where it is not 0 but rounds to it.
    """
    names = [wording.name(name, LABEL_COLUMNS) for name in matrix.index]
    cell = min(LARGEST_CELL, max(SMALLEST_CELL, GOOD_WIDTH / len(names)))
    margin = 60 + 7 * max(map(len, names))
    figure, axes = canvas.axes(margin + cell * len(names), margin + cell * len(names))
    _frame(axes, names)
    _cells(axes, matrix.to_numpy(), cell, percent=percent)
    right, total = int(np.trace(matrix.to_numpy())), int(matrix.to_numpy().sum())
    told = " in percent of the rows" if percent else ""
    return canvas.inline(
        figure,
        "confusion_shares" if percent else "confusion",
        f"Confusion matrix{told} of {wording.plural(len(names), 'class')}: {right:,} of {total:,} "
        "images lie on the diagonal. All numbers are in confusion_matrix.csv.",
    )


def _frame(axes: Axes, names: list[str]) -> None:
    places, edges = np.arange(len(names)), np.arange(len(names) + 1) - 0.5
    axes.set_aspect("equal")
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set_xticks(places, names, rotation=90)
    axes.set_yticks(places, names)
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(visible=False)
    axes.grid(which="minor", color=LINE, linewidth=0.5)
    axes.tick_params(which="both", length=0, labelbottom=False, labeltop=True)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")


def _cells(axes: Axes, counts: np.ndarray, cell: float, *, percent: bool) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    filled = np.argwhere(counts > 0)
    squares = [Rectangle((column - 0.5, row - 0.5), 1, 1) for row, column in filled]
    opacity = [FAINTEST + (1 - FAINTEST) * shares[row, column] for row, column in filled]
    axes.add_collection(PatchCollection(squares, facecolor=DEEP, alpha=opacity, linewidth=0))
    for (row, column), shade in zip(filled, opacity, strict=True):
        text = _percent(shares[row, column]) if percent else f"{counts[row, column]:d}"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center_baseline",
            color=PAPER if shade > TURNING_SHARE else INK,
            fontsize=min(15, cell * 0.5, cell * 1.45 / len(text)),
            in_layout=False,  # inside the axes anyway, and measuring thousands takes seconds
        )


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"
