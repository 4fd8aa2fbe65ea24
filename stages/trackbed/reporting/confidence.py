"""Confidence, calibration and selective prediction, in figures and sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trackbed.evaluation.calibration import TEMPERATURE_BOUNDS
from trackbed.reporting import figure_style, formatting
from trackbed.reporting.figure_style import BLUE, MUTED, ORANGE

NEAR = 1e-3  # of a bound
Scores = Mapping[str, Any]


def temperature(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on the temperature; none where the evaluation knows of none.

    evaluate: section of params.yaml, scalars as text.
    """
    degrees = scores.get("temperature")
    if degrees is None:
        return []
    direction = "too sure: it lowers them" if degrees > 1 else "not sure enough: it raises them"
    said = [
        f"The temperature that fits the validation fold best is {formatting.share(degrees)}; "
        f"without it the network's probabilities were {direction}. No answer changes.",
        "The probabilities in this report are those with the temperature (evaluate.calibrated)."
        if evaluate.get("calibrated") == "true"
        else "evaluate.calibrated: true puts its probabilities everywhere in this report.",
    ]
    low, high = TEMPERATURE_BOUNDS
    if not low * (1 + NEAR) < degrees < high * (1 - NEAR):
        said.append(
            "It lies at the end of the allowed range: a validation fold without mistakes, or with "
            "nothing but chance, does not settle it."
        )
    return said


def refusal(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on refusing what the network is not sure of; none without such an evaluation."""
    if "refusal_threshold" not in scores:
        return []
    wanted = evaluate.get("wanted_precision", formatting.NOT_AVAILABLE)
    return [
        _threshold(scores, wanted),
        "This does not catch pictures of classes that the network does not know: it may be as sure "
        "of those. On traffic signs with 8 classes held out, the confidence told them from the "
        "known ones with an AUROC of 0.74, where 1 is always and 0.5 is by chance.",
    ]


def _threshold(scores: Scores, wanted: str) -> str:
    least = scores["refusal_threshold"]
    if least is None:
        return (
            f"On the validation fold no confidence is high enough for {wanted} of the answers at "
            "or above it to be right (evaluate.wanted_precision): there is no threshold."
        )
    kept, precision = scores.get("refusal_coverage"), scores.get("refusal_precision")
    which = (
        f"answers with a confidence of at least {formatting.share(least)}" if least else "answers"
    )
    said = (
        f"Of all {which} for the validation fold at least {wanted} are right "
        "(evaluate.wanted_precision)."
    )
    if precision is None:
        return f"{said} No test image is as sure."
    between = formatting.interval(scores, "refusal_precision")
    between = f" (95 % interval {between})" if between else ""
    return (
        f"{said} On the test part {formatting.percent(kept)} of the images remain then, and "
        f"{formatting.share(precision)}{between} of their answers are right."
    )


SIZE = (440, 310)  # CSS pixels
FEW = 10  # images; a point of fewer is hollow


@figure_style.styled
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
        label = f"{word} ({formatting.count(total)})"
        axes.bar(middle, shares, width=width * 0.4, color=colour, label=label)
    figure_style.legend(axes, "Confidence of right and wrong answers")
    said = (
        f"Confidence of {formatting.plural(right.sum(), 'right answer')} and "
        f"{formatting.plural(wrong.sum(), 'wrong one')}. Numbers in the table."
    )
    return figure_style.inline(figure, "confidence_histogram", said)


@figure_style.styled
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
    figure_style.legend(axes, "Reliability")
    distance = np.abs(filled["confidence"] - filled["accuracy"]).max()
    said = f"Accuracy by confidence in {len(filled)} bins; furthest apart by {distance:.2f}."
    return figure_style.inline(figure, "reliability", said)


@figure_style.styled
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
        point = f" Threshold {formatting.share(least)}: {formatting.share(precision)}."
        label = f"threshold {formatting.share(least, 2)}"
        axes.plot([place], [precision], "o", color=ORANGE, label=label)
    figure_style.legend(axes, "Refusing the unsure")
    lowest = formatting.share(table["accuracy"].min())
    said = f"Accuracy by share of images kept, {lowest} at the lowest.{point}"
    return figure_style.inline(figure, "coverage", said)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure, axes = figure_style.axes(*SIZE)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes
