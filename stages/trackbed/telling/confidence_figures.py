"""How sure the network is of its answers, and whether it may be, as inline SVG."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trackbed.telling import canvas, wording
from trackbed.telling.canvas import BLUE, MUTED, ORANGE

SIZE = (440, 310)  # CSS pixels
FEW = 10  # images; a point of fewer is hollow


@canvas.styled
def histogram(bins: pd.DataFrame) -> Markup:
    """Right and wrong answers by confidence, each as shares of its own kind.

    bins: see judging.calibration.reliability.
    """
    figure, axes = _axes("confidence", "share of the answers of a kind")
    right, wrong = bins["right"], bins["images"] - bins["right"]
    width = 1 / len(bins)
    for counts, colour, offset, word in ((right, BLUE, -1, "right"), (wrong, ORANGE, 1, "wrong")):
        total = counts.sum()
        shares = counts / max(total, 1)
        middle = (bins["low"] + bins["high"]) / 2 + offset * width * 0.21
        label = f"{word} ({wording.count(total)})"
        axes.bar(middle, shares, width=width * 0.4, color=colour, label=label)
    canvas.legend(axes, "Confidence of right and wrong answers")
    said = (
        f"Confidence of {wording.plural(right.sum(), 'right answer')} and "
        f"{wording.plural(wrong.sum(), 'wrong one')}. Numbers in the table."
    )
    return canvas.inline(figure, "confidence_histogram", said)


@canvas.styled
def reliability(bins: pd.DataFrame) -> Markup:
    """Accuracy against confidence, bin by bin; on the diagonal a probability is what it says.

    bins: see judging.calibration.beside. What the temperature makes of the bins is drawn thinner.
    """
    figure, axes = _axes("mean confidence of a bin", "accuracy")
    filled = bins[bins["images"] > 0]
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (5, 2)), label="as promised")
    axes.vlines(filled["confidence"], filled["confidence"], filled["accuracy"], color=BLUE)
    enough = filled[filled["images"] >= FEW]
    few = filled[filled["images"] < FEW]
    axes.plot(enough["confidence"], enough["accuracy"], "o", color=BLUE, label="reported")
    axes.plot(few["confidence"], few["accuracy"], "o", color=BLUE, markerfacecolor="none")
    after = bins[bins["calibrated_images"] >= FEW]
    places = after["calibrated_confidence"], after["calibrated_accuracy"]
    axes.plot(*places, "x", color=ORANGE, markersize=5, label="with temperature")
    axes.set_ylim(-0.03, 1.03)
    canvas.legend(axes, "Reliability")
    distance = np.abs(filled["confidence"] - filled["accuracy"]).max()
    said = f"Accuracy by confidence in {len(filled)} bins; furthest apart by {distance:.2f}."
    return canvas.inline(figure, "reliability", said)


@canvas.styled
def coverage(table: pd.DataFrame, scores: Mapping[str, Any]) -> Markup:
    """Accuracy of the answers that remain, against their share of all images.

    table: see judging.refusal.coverage; scores: with the point that judging.refusal.measured gives.
    """
    figure, axes = _axes("share of images that are not refused", "accuracy of these")
    axes.plot(table["coverage"], table["accuracy"], color=BLUE, label="every threshold")
    least, place = scores.get("refusal_threshold"), scores.get("refusal_coverage")
    precision = scores.get("refusal_precision")
    point = ""
    if precision is not None:
        point = f" Threshold {wording.share(least)}: {wording.share(precision)}."
        label = f"threshold {wording.share(least, 2)}"
        axes.plot([place], [precision], "o", color=ORANGE, label=label)
    canvas.legend(axes, "Refusing the unsure")
    lowest = wording.share(table["accuracy"].min())
    said = f"Accuracy by share of images kept, {lowest} at the lowest.{point}"
    return canvas.inline(figure, "coverage", said)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure, axes = canvas.axes(*SIZE)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes
