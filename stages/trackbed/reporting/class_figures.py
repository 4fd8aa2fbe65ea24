"""Classes in figures: images, scores, errors, and the confusion matrix."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trackbed.reporting import figure_style, formatting
from trackbed.reporting.figure_style import BLUE, DEEP, INK, LINE, MUTED, ORANGE, PAPER

MOST_CLASSES = 100  # in a figure or table of the page; the files beside it have all
HEATMAP_LABEL_COLUMNS = 22
# Side of a cell in CSS pixels: what fills a good page width, within these bounds.
GOOD_WIDTH, LARGEST_CELL, SMALLEST_CELL = 520, 84, 22
# From this share on, a cell is so dark (in dark mode: so light) that its number turns.
TURNING_SHARE = 0.62
FAINTEST = 0.1  # opacity of the smallest share that is not 0


def weakest(classes: pd.DataFrame) -> pd.DataFrame:
    """The MOST_CLASSES classes of the lowest F1, those without one last; in the order given."""
    if len(classes) <= MOST_CLASSES:
        return classes
    places = classes["f1"].to_numpy(float).argsort(kind="stable")[:MOST_CLASSES]
    return classes.iloc[np.sort(places)]


def smallest_and_largest(counts: pd.DataFrame) -> pd.DataFrame:
    """Half of MOST_CLASSES classes of the fewest images and half of the most; in the order given.

    counts: column total.
    """
    if len(counts) <= MOST_CLASSES:
        return counts
    places = counts["total"].to_numpy().argsort(kind="stable")
    half = MOST_CLASSES // 2
    return counts.iloc[np.sort(np.r_[places[:half], places[-half:]])]


def most_confused(matrix: pd.DataFrame) -> pd.DataFrame:
    """Rows and columns of the MOST_CLASSES classes with the most mistakes, of either direction."""
    if len(matrix) <= MOST_CLASSES:
        return matrix
    counts = matrix.to_numpy()
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    places = np.sort((-wrong).argsort(kind="stable")[:MOST_CLASSES])
    return matrix.iloc[places, places]


@figure_style.styled
def confusion(matrix: pd.DataFrame, *, percent: bool = False) -> Markup:
    """Images, rows the true and columns the predicted class, in the matrix's order.

    The shade of a cell is its share of the images of the true class; a cell of 0 stays empty.
    Numbers are counts, or that share in percent, '<1' where it is not 0 but rounds to it.
    """
    total, right = int(matrix.to_numpy().sum()), int(np.trace(matrix.to_numpy()))
    part = most_confused(matrix)
    names = [formatting.name(name, HEATMAP_LABEL_COLUMNS) for name in part.index]
    cell = min(LARGEST_CELL, max(SMALLEST_CELL, GOOD_WIDTH / len(names)))
    margin = 60 + 7 * max(map(len, names))
    figure, axes = figure_style.axes(margin + cell * len(names), margin + cell * len(names))
    _frame(axes, names)
    _cells(axes, part.to_numpy(), matrix.loc[part.index].sum(axis=1).to_numpy(), cell, percent)
    unit = " in percent of the rows" if percent else ""
    return figure_style.inline(
        figure,
        "confusion_shares" if percent else "confusion",
        f"Confusion matrix{unit} of {formatting.plural(len(matrix), 'class')}: {right:,} of "
        f"{total:,} images lie on the diagonal. All numbers are in confusion_matrix.csv.",
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


def _cells(axes: Axes, counts: np.ndarray, support: np.ndarray, cell: float, percent: bool) -> None:
    shares = counts / np.maximum(support[:, None], 1)
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


BAR_WIDTH = 480  # CSS pixels, as all sizes here
LABEL_COLUMNS = 24  # characters of a class name beside a bar
MANY_CLASSES = 12  # from here on rows are tight
RADAR_MEASURES = {
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "accuracy": "one-vs-rest accuracy",
}


@figure_style.styled
def distribution(counts: pd.DataFrame) -> Markup:
    """Images per class, the test part behind the training part."""
    total, counts = counts["total"], smallest_and_largest(counts)
    figure, axes = _class_axes(counts.index, 22)
    places = np.arange(len(counts))
    axes.barh(places, counts["train"], height=0.7, color=BLUE, label="training part")
    axes.barh(
        places, counts["test"], left=counts["train"], height=0.7, color=ORANGE, label="test part"
    )
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.count(value)))
    figure_style.legend(axes, "Images per class")
    return figure_style.inline(
        figure,
        "distribution",
        f"Images per class: {formatting.count(total.min())} in the smallest, "
        f"{formatting.count(total.max())} in the largest class. Numbers in the table.",
    )


@figure_style.styled
def class_scores(classes: pd.DataFrame) -> Markup:
    """F1 of every class with its interval, the lowest on top; precision and recall beside it."""
    classes = classes.sort_values("f1", kind="stable", na_position="last")
    figure, axes = _class_axes(classes.index, 30 if len(classes) <= MANY_CLASSES else 20)
    places = np.arange(len(classes))
    axes.hlines(places, classes["f1_low"], classes["f1_high"], color=MUTED, linewidth=2.5)
    axes.plot(classes["f1"], places, "o", color=INK, markersize=7, label="F1 and 95 % interval")
    for measure, colour, mark in (("precision", BLUE, "|"), ("recall", ORANGE, "x")):
        label = RADAR_MEASURES[measure]
        shape = {"marker": mark, "markersize": 8 if mark == "|" else 5, "markeredgewidth": 2}
        axes.plot(classes[measure], places, color=colour, linestyle="", label=label, **shape)
    measures = classes[["f1_low", "f1", "precision", "recall"]]
    lowest = min(np.nan_to_num(measures.to_numpy(float), nan=1).min(initial=1), 0.95)
    for place in places[classes["f1"].isna()]:
        axes.text(lowest, place, formatting.NOT_AVAILABLE, va="center", color=MUTED, fontsize=10)
    axes.set_xlim(max(0, lowest - 0.03), 1 + 0.03 * (1 - lowest))
    figure_style.legend(axes, "F1 per class, the lowest first")
    return figure_style.inline(
        figure, "class_scores", "F1 by class with intervals. Numbers in the table."
    )


@figure_style.styled
def errors(classes: pd.DataFrame) -> Markup:
    """False negatives (to the left) against false positives (to the right); see class_scores."""
    classes = classes.sort_values("f1", kind="stable", na_position="last")
    figure, axes = _class_axes(classes.index, 30 if len(classes) <= MANY_CLASSES else 20)
    places = np.arange(len(classes))
    missed, alarms = classes["false_negative"], classes["false_positive"]
    axes.barh(places, -missed, height=0.7, color=ORANGE, label="false negatives (missed)")
    axes.barh(places, alarms, height=0.7, color=BLUE, label="false positives (false alarms)")
    axes.axvline(0, color=MUTED, linewidth=1)
    widest = max(missed.max(), alarms.max(), 1) * 1.05
    axes.set_xlim(-widest, widest)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.count(abs(value))))
    figure_style.legend(axes, "Errors per class, in test images", rows=2)
    return figure_style.inline(
        figure,
        "errors",
        "False negatives and false positives per class. Numbers in the table.",
    )


@figure_style.styled
def radar(averages: pd.Series) -> Markup:
    """The macro averages of five measures on a scale from 0 (centre) to 1."""
    figure, axes = figure_style.axes(460, 340, projection="polar")
    values = averages[list(RADAR_MEASURES)].to_numpy(float)
    angles = np.linspace(0, 2 * np.pi, len(values), endpoint=False)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.fill(angles, values, facecolor=BLUE, alpha=0.2)
    axes.plot([*angles, angles[0]], [*values, values[0]], color=BLUE, linewidth=2, marker="o")
    axes.set_ylim(0, 1)
    axes.set_yticks([0.25, 0.5, 0.75, 1], ["", "0.5", "", "1"], color=MUTED, fontsize=10)
    axes.set_rlabel_position(36)
    axes.spines["polar"].set_color(LINE)
    labels = [
        f"{label} {formatting.share(value)}"
        for label, value in zip(RADAR_MEASURES.values(), values, strict=True)
    ]
    axes.set_xticks(angles, [text.replace(" ", "\n") for text in labels])
    for label, side in zip(
        axes.get_xticklabels(), ("center", "left", "left", "right", "right"), strict=True
    ):
        label.set_horizontalalignment(side)
    axes.set_title("Macro averages", loc="left")
    return figure_style.inline(figure, "radar", f"Macro averages: {', '.join(labels)}.")


def _class_axes(names: Sequence[str], row_height: float) -> tuple[Figure, Axes]:
    """Axes for horizontal bars, one row per class from top to bottom."""
    figure, axes = figure_style.axes(BAR_WIDTH, 90 + row_height * len(names))
    axes.set_yticks(range(len(names)), [formatting.name(name, LABEL_COLUMNS) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    return figure, axes
