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


def temperature_text(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on the temperature; none if the evaluation has none.

    evaluate: section of params.yaml, scalars as text.
    """
    degrees = scores.get("temperature")
    if degrees is None:
        return []
    direction = "too high: it lowers them" if degrees > 1 else "too low: it raises them"
    if abs(degrees - 1) < 0.0005:
        direction = "right as they are"
    sentences = [
        f"The temperature that fits the validation fold best is {formatting.share(degrees)}. "
        f"The network's own probabilities are {direction}. No prediction changes.",
        "The probabilities in this report include the temperature (evaluate.calibrated)."
        if evaluate.get("calibrated") == "true"
        else "With evaluate.calibrated: true the whole report uses its probabilities.",
    ]
    low, high = TEMPERATURE_BOUNDS
    if not low * (1 + NEAR) < degrees < high * (1 - NEAR):
        sentences.append(
            "It is at the end of the allowed range: the validation fold does not determine it, as "
            "without mistakes or with random predictions."
        )
    return sentences


def threshold_text(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on the confidence threshold; none if the evaluation has none."""
    if "refusal_threshold" not in scores:
        return []
    wanted = evaluate.get("wanted_precision", formatting.NOT_AVAILABLE)
    return [
        _threshold(scores, wanted),
        "The threshold does not catch images of unknown classes: their confidence may be as high.",
    ]


def _threshold(scores: Scores, wanted: str) -> str:
    least = scores["refusal_threshold"]
    if least is None:
        return (
            f"There is no threshold: on the validation fold, at no confidence are {wanted} of the "
            "predictions right (evaluate.wanted_precision)."
        )
    kept, precision = scores.get("refusal_coverage"), scores.get("refusal_precision")
    which = "all predictions"
    if least:
        which = f"the predictions with a confidence of {formatting.share(least)} or more"
    text = (
        f"On the validation fold, at least {wanted} of {which} are right "
        "(evaluate.wanted_precision)."
    )
    if precision is None:
        return f"{text} No test image has that confidence."
    between = formatting.interval(scores, "refusal_precision")
    between = f" (95 % interval {between})" if between else ""
    return (
        f"{text} On the test part {formatting.percent(kept)} of the images reach it, and "
        f"{formatting.share(precision)}{between} of them are right."
    )


SIZE = (440, 310)  # CSS pixels
FEW = 10  # images; a point of fewer is hollow


@figure_style.styled
def histogram_figure(bins: pd.DataFrame) -> Markup:
    """Right and wrong predictions by confidence, each kind adding up to 1.

    bins: see evaluation.calibration.reliability.
    """
    figure, axes = _axes("confidence", "share of right or wrong predictions")
    right, wrong = bins["right"], bins["images"] - bins["right"]
    width = 1 / len(bins)
    for counts, colour, offset, word in ((right, BLUE, -1, "right"), (wrong, ORANGE, 1, "wrong")):
        total = counts.sum()
        shares = counts / max(total, 1)
        middle = (bins["low"] + bins["high"]) / 2 + offset * width * 0.21
        label = f"{word} ({formatting.count(total)})"
        axes.bar(middle, shares, width=width * 0.4, color=colour, label=label)
    figure_style.legend(axes, "Confidence of right and wrong predictions")
    description = (
        f"Confidence of {formatting.plural(right.sum(), 'right prediction')} and "
        f"{formatting.plural(wrong.sum(), 'wrong one')}. Numbers in the table."
    )
    return figure_style.inline(figure, "confidence_histogram", description)


@figure_style.styled
def reliability_figure(bins: pd.DataFrame) -> Markup:
    """Accuracy against confidence, bin by bin; on the diagonal confidence equals accuracy.

    bins: see evaluation.calibration.beside. Crosses: with the temperature.
    """
    figure, axes = _axes("mean confidence of a bin", "accuracy")
    filled = bins[bins["images"] > 0]
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1, linestyle=(0, (5, 2)), label="ideal")
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
    description = f"Accuracy by confidence in {len(filled)} bins; largest distance {distance:.2f}."
    return figure_style.inline(figure, "reliability", description)


@figure_style.styled
def coverage_figure(table: pd.DataFrame, scores: Mapping[str, Any]) -> Markup:
    """Accuracy of the kept predictions against their share of all images.

    table and scores: see evaluation.selective_prediction.
    """
    figure, axes = _axes("share of images kept", "accuracy of the kept")
    axes.plot(table["coverage"], table["accuracy"], color=BLUE, label="every threshold")
    least, place = scores.get("refusal_threshold"), scores.get("refusal_coverage")
    precision = scores.get("refusal_precision")
    point = ""
    if precision is not None:
        point = f" Threshold {formatting.share(least)}: {formatting.share(precision)}."
        label = f"threshold {formatting.share(least, 2)}"
        axes.plot([place], [precision], "o", color=ORANGE, label=label)
    figure_style.legend(axes, "Selective prediction")
    lowest = formatting.share(table["accuracy"].min())
    description = f"Accuracy by share of images kept, {lowest} at the lowest.{point}"
    return figure_style.inline(figure, "coverage", description)


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure, axes = figure_style.axes(*SIZE)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes
