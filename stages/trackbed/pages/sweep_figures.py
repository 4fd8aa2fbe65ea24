"""How scores and learning curves depend on a parameter, as inline SVG."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trackbed.reporting import figure_style, formatting
from trackbed.reporting.figure_style import BLUE, DEEP, INK, MUTED, ORANGE

WIDTH, HEIGHT = 335, 270  # CSS pixels
TITLES = {
    "val_macro_f1": "Macro F1",
    "val_accuracy": "Accuracy",
    "val_loss": "Loss",
    "val/macro_f1": "Macro F1",
    "val/accuracy": "Accuracy",
    "val/loss": "Loss",
}
# Colours repeat, dashes tell apart what has the same one.
LINES = [
    (colour, dash)
    for dash in ("solid", (0, (5, 2)), (0, (1, 1.5)))
    for colour in (BLUE, ORANGE, MUTED, DEEP)
]
MOST_VALUES = 8  # from here on points instead of boxes, and no curves per value
LONGEST_LABEL = 12


@figure_style.styled
def boxes(runs: pd.DataFrame, key: str, score: str) -> Markup:
    """A score of all runs by the value of a parameter: quartiles, and every run as a point.

    Many numbers are shown as points over an axis, logarithmic where they span it.
    """
    figure, axes = figure_style.axes(WIDTH, HEIGHT)
    groups = {value: rows[score].dropna() for value, rows in runs.groupby(key, sort=False)}
    axes.set_title(TITLES[score], loc="left")
    axes.set_xlabel(formatting.name(key, 40))
    numbers = pd.to_numeric(pd.Series(list(groups)), errors="coerce")
    if len(groups) > MOST_VALUES and numbers.notna().all():
        _points(axes, dict(zip(numbers, groups.values(), strict=True)))
    else:
        _boxes(axes, groups)
    means = ", ".join(f"{value}: {formatting.share(rows.mean())}" for value, rows in groups.items())
    description = f"{TITLES[score]} of validation by {key}; means {means}."
    return figure_style.inline(figure, f"boxes_{key}_{score}", description)


@figure_style.styled
def curves_by_value(curves: Mapping[str, Sequence[pd.Series]], key: str, quantity: str) -> Markup:
    """Mean validation curve per value of a parameter, with a band of one standard deviation."""
    figure, axes = figure_style.axes(WIDTH, HEIGHT + 20)
    for (value, some), (colour, dash) in zip(curves.items(), LINES, strict=False):
        together = pd.concat(list(some), axis=1)
        mean = together.mean(axis=1)
        spread = together.std(axis=1, ddof=1) if together.shape[1] > 1 else mean * np.nan
        axes.fill_between(
            mean.index, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0
        )
        axes.plot(
            mean,
            color=colour,
            linestyle=dash,
            linewidth=2,
            label=formatting.name(value, LONGEST_LABEL),
        )
    _finish(axes, f"{TITLES[quantity]} by {formatting.name(key, 30)}", len(curves))
    description = (
        f"Validation {TITLES[quantity]} over the epochs, mean and spread per value of {key}."
    )
    return figure_style.inline(figure, f"by_{key}_{quantity}", description)


@figure_style.styled
def curves_by_fold(curves: Mapping[str, pd.Series], quantity: str) -> Markup:
    """Validation curve of every fold of one setting, and their mean."""
    figure, axes = figure_style.axes(WIDTH, HEIGHT + 20)
    for (name, curve), (colour, dash) in zip(curves.items(), LINES, strict=False):
        axes.plot(curve, color=colour, linestyle=dash, linewidth=1.2, label=name)
    if len(curves) > 1:
        mean = pd.concat(list(curves.values()), axis=1).mean(axis=1)
        axes.plot(mean, color=INK, linewidth=2.2, label="mean")
    _finish(axes, TITLES[quantity], len(curves) + 1)
    description = (
        f"Validation {TITLES[quantity]} over the epochs of {formatting.plural(len(curves), 'run')}."
    )
    return figure_style.inline(figure, f"folds_{quantity}", description)


def _boxes(axes: Axes, groups: Mapping[str, pd.Series]) -> None:
    names = [formatting.name(str(value), LONGEST_LABEL) for value in groups]
    line = {"color": BLUE, "linewidth": 1.4}
    axes.boxplot(
        list(groups.values()),
        tick_labels=names,
        widths=0.5,
        showfliers=False,  # every run is a point, see below
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops={"color": ORANGE, "linewidth": 2},
    )
    for place, values in enumerate(groups.values(), start=1):
        # Side by side in the order of the runs, so that equal scores do not hide each other.
        aside = np.linspace(-0.14, 0.14, len(values)) if len(values) > 1 else np.zeros(len(values))
        axes.plot(place + aside, values, "o", color=INK, markersize=3.5, alpha=0.7)
    axes.grid(visible=False, axis="x")
    if sum(map(len, names)) > 5 * LONGEST_LABEL:
        axes.tick_params(axis="x", rotation=30)


def _points(axes: Axes, groups: Mapping[float, pd.Series]) -> None:
    for value, scores in groups.items():
        axes.plot([value] * len(scores), scores, "o", color=BLUE, markersize=5, alpha=0.7)
    if min(groups) > 0 and max(groups) > 20 * min(groups):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1,)))
        axes.xaxis.set_minor_locator(NullLocator())
    # Matplotlib writes powers of ten in mathtext, which is switched off.
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _finish(axes: Axes, title: str, entries: int) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    rows = -(-entries // 3)
    axes.set_title(title, loc="left", pad=12 + 16 * rows)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=3,
        borderaxespad=0.3,
        borderpad=0,
        handlelength=1.8,
        columnspacing=1.2,
        labelspacing=0.2,
    )
