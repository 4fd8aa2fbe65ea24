"""What the classes hold and how well each is recognised, as inline SVG."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from trackbed.telling import canvas, wording
from trackbed.telling.canvas import BLUE, INK, LINE, MUTED, ORANGE

BAR_WIDTH = 480  # CSS pixels, as all sizes here
LABEL_COLUMNS = 24  # characters of a class name beside a bar
MANY_CLASSES = 12  # from here on rows are tight
RADAR_MEASURES = {
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "accuracy": "accuracy",
}


@canvas.styled
def distribution(counts: pd.DataFrame) -> Markup:
    """Images per class, the test part behind the training part."""
    figure, axes = _class_axes(counts.index, 22)
    places = np.arange(len(counts))
    axes.barh(places, counts["train"], height=0.7, color=BLUE, label="training part")
    axes.barh(
        places, counts["test"], left=counts["train"], height=0.7, color=ORANGE, label="test part"
    )
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: wording.count(value)))
    canvas.legend(axes, "Images per class")
    total = counts["total"]
    return canvas.inline(
        figure,
        "distribution",
        f"Images per class: {wording.count(total.min())} in the smallest, "
        f"{wording.count(total.max())} in the largest class. Numbers in the table.",
    )


@canvas.styled
def class_scores(classes: pd.DataFrame) -> Markup:
    """Precision, recall and F1 of every class as grouped bars."""
    figure, axes = _class_axes(classes.index, 42 if len(classes) <= MANY_CLASSES else 27)
    places = np.arange(len(classes))
    bars = [("precision", BLUE), ("recall", ORANGE), ("f1", INK)]
    for offset, (measure, colour) in zip((-0.26, 0, 0.26), bars, strict=True):
        label = RADAR_MEASURES[measure]
        axes.barh(places + offset, classes[measure], height=0.22, color=colour, label=label)
    for place in places[classes["f1"].isna()]:
        axes.text(0.01, place + 0.26, wording.NOT_AVAILABLE, va="center", color=MUTED, fontsize=10)
    axes.set_xlim(0, 1)
    canvas.legend(axes, "Scores per class")
    return canvas.inline(
        figure, "class_scores", "Precision, recall and F1 of every class. Numbers in the table."
    )


@canvas.styled
def errors(classes: pd.DataFrame) -> Markup:
    """False negatives (to the left) against false positives (to the right) of every class."""
    figure, axes = _class_axes(classes.index, 22)
    places = np.arange(len(classes))
    missed, alarms = classes["false_negative"], classes["false_positive"]
    axes.barh(places, -missed, height=0.7, color=ORANGE, label="false negatives (missed)")
    axes.barh(places, alarms, height=0.7, color=BLUE, label="false positives (false alarms)")
    axes.axvline(0, color=MUTED, linewidth=1)
    widest = max(missed.max(), alarms.max(), 1) * 1.05
    axes.set_xlim(-widest, widest)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: wording.count(abs(value))))
    canvas.legend(axes, "Errors per class, in test images", rows=2)
    return canvas.inline(
        figure,
        "errors",
        "False negatives and false positives per class. Numbers in the table.",
    )


@canvas.styled
def radar(averages: pd.Series) -> Markup:
    """The macro averages of five measures on a scale from 0 (centre) to 1."""
    figure, axes = canvas.axes(400, 340, projection="polar")
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
    said = [
        f"{label} {wording.share(value)}"
        for label, value in zip(RADAR_MEASURES.values(), values, strict=True)
    ]
    axes.set_xticks(angles, [text.replace(" ", "\n") for text in said])
    for label, side in zip(
        axes.get_xticklabels(), ("center", "left", "left", "right", "right"), strict=True
    ):
        label.set_horizontalalignment(side)
    axes.set_title("Macro averages", loc="left")
    return canvas.inline(figure, "radar", f"Macro averages: {', '.join(said)}.")


def _class_axes(names: Sequence[str], row_height: float) -> tuple[Figure, Axes]:
    """Axes for horizontal bars, one row per class from top to bottom."""
    figure, axes = canvas.axes(BAR_WIDTH, 90 + row_height * len(names))
    axes.set_yticks(range(len(names)), [wording.name(name, LABEL_COLUMNS) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    return figure, axes
