"""All figures of the report by name, as inline SVG and as files."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from trackbed.pipeline.outputs import replacing_folder
from trackbed.reporting import figure_style, formatting
from trackbed.reporting.figure_style import BLUE, DEEP, INK, MUTED, ORANGE

FOLDER = "figures"  # in the plots folder
BALANCE_FILE = "class_balance.csv"
BALANCE_SIZE = (620, 380)  # CSS pixels
LABELLED = 8  # classes, those of the lowest F1 first
FAR_APART = 10  # largest to smallest class; from here on a logarithmic scale
# CSS pixels: a name's distance from its point, height, and width of a letter.
AWAY, HEIGHT, LETTER = 7, 16, 6.5


def class_balance(counts: pd.DataFrame, classes: pd.DataFrame) -> pd.DataFrame:
    """Columns class_name, train, test (images) and f1, in label order.

    counts: columns train and test; classes: column f1; both indexed by class name.
    """
    table = counts[["train", "test"]].reset_index(drop=True)
    table.insert(0, "class_name", list(counts.index), allow_duplicates=True)
    return table.assign(f1=classes["f1"].to_numpy())


def rank_correlation(table: pd.DataFrame) -> float | None:
    """Spearman's rank correlation of training images and F1, -1 to 1.

    None with fewer than 3 classes, or where one of the two is the same in all.
    """
    known = table.dropna(subset=["f1"])
    if len(known) < 3 or known["train"].nunique() < 2 or known["f1"].nunique() < 2:
        return None
    return float(known["train"].rank().corr(known["f1"].rank()))


@figure_style.styled
def balance_figure(table: pd.DataFrame) -> Markup:
    """F1 of every class over its training images; the weakest classes have their names."""
    figure, axes = figure_style.axes(*BALANCE_SIZE)
    known = table.dropna(subset=["f1"])
    axes.plot(known["train"], known["f1"], "o", color=BLUE, alpha=0.8)
    if len(known):
        _scale(axes, known)
        _label(axes, known.sort_values("f1", kind="stable"))
    axes.set_xlabel("training images of the class")
    axes.set_ylabel("F1 on the test part")
    axes.set_title("Training images and F1 per class", loc="left")
    return figure_style.inline(
        figure, "balance", f"F1 over training images of {formatting.plural(len(known), 'class')}."
    )


def _scale(axes: Axes, known: pd.DataFrame) -> None:
    floor = max(0.0, math.floor(10 * known["f1"].min() - 0.5) / 10)
    axes.set_ylim(floor, 1 + 0.06 * (1 - floor))
    most, fewest = known["train"].max(), max(known["train"].min(), 1)
    if most >= FAR_APART * fewest:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        margin = max(1, 0.12 * (most - fewest))
        axes.set_xlim(max(0, fewest - margin), most + 2.5 * margin)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.count(value)))


def _label(axes: Axes, weakest: pd.DataFrame) -> None:
    """Names right or left of the points; none where it would cover a point or a name."""
    to_shares = axes.transScale + axes.transLimits
    spots = to_shares.transform(weakest[["train", "f1"]].to_numpy(float)) * BALANCE_SIZE
    taken = spots
    for row, (x, y) in zip(weakest.head(LABELLED).itertuples(), spots, strict=False):
        name = formatting.name(row.class_name, 24)
        for side in (1, -1):
            # The centres of its letters; a point on one of them is on the name.
            letters = x + side * (AWAY + LETTER * (0.5 + np.arange(len(name))))
            if letters.min() > 0 and not _covered(letters, y, taken):
                _annotate(axes, name, (row.train, row.f1), side)
                taken = np.vstack([taken, np.column_stack([letters, np.full(len(letters), y)])])
                break


def _covered(letters: np.ndarray, y: float, taken: np.ndarray) -> bool:
    rows = taken[np.abs(taken[:, 1] - y) < HEIGHT]
    return bool((np.abs(rows[:, 0][:, None] - letters) < LETTER).any())


def _annotate(axes: Axes, name: str, point: tuple[float, float], side: int) -> None:
    axes.annotate(
        name,
        point,
        xytext=(side * AWAY, 0),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=11,
        color=INK,
        in_layout=False,
    )


STILL_CURVES = 6  # classes, those of the lowest average precision


@figure_style.styled
def class_curves_figure(curves: dict[str, Any], key: str) -> Markup:
    """The curves of the first classes; key: 'precision_recall' or 'roc'.

    curves: see charts.class_curves.
    """
    across, up = ("recall", "precision") if key == "precision_recall" else ("alarms", "recall")
    area, short = {"precision": ("average_precision", "AP"), "recall": ("auroc", "AUROC")}[up]
    figure, axes = figure_style.axes(*ROBUSTNESS_SIZE)
    listed = curves["classes"][:STILL_CURVES]
    for one, (colour, dash, _) in zip(listed, LINES, strict=False):
        label = f"{formatting.name(one['name'], 24)} {short} {formatting.share(one[area][0])}"
        scale = curves["scale"]
        shares = [[value / scale for value in one[name]] for name in (across, up)]
        axes.plot(*shares, color=colour, linestyle=dash, label=label)
    labels = {"alarms": "false-positive rate", "recall": "recall", "precision": "precision"}
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=labels[across], ylabel=labels[up])
    if listed:
        axes.legend(loc="best", fontsize=10)
    title = "Precision by recall" if key == "precision_recall" else "ROC"
    axes.set_title(title, loc="left")
    described = f"{title} of the {formatting.plural(len(listed), 'class')} of the lowest AP."
    return figure_style.inline(figure, key, described)


ROBUSTNESS_SIZE = (440, 330)  # CSS pixels
TITLES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}
# Dashes and marks tell apart what has the same colour.
LINES = [(BLUE, "-", "o"), (ORANGE, "-", "s"), (DEEP, "-", "^")]
LINES += [(MUTED, "--", "o"), (BLUE, "--", "s"), (ORANGE, "--", "^")]


def robustness_figures(table: pd.DataFrame) -> dict[str, Markup]:
    """A figure per score, by name; none without corruptions.

    table: see evaluation.robustness.
    """
    if not (table["grade"] > 0).any():
        return {}
    return {f"corrupted_{score}": robustness_figure(table, score) for score in TITLES}


@figure_style.styled
def robustness_figure(table: pd.DataFrame, score: str) -> Markup:
    """A score over the grades, one line per corruption; grade 0 is the unchanged images."""
    figure, axes = figure_style.axes(*ROBUSTNESS_SIZE)
    clean = table.loc[table["grade"] == 0, score].iloc[0]
    last = []
    spoiled = table[table["grade"] > 0].groupby("corruption", sort=False)
    for (name, rows), (colour, dash, mark) in zip(spoiled, LINES, strict=False):
        values = [clean, *rows.sort_values("grade")[score]]
        axes.plot(values, color=colour, linestyle=dash, marker=mark, markersize=4, label=name)
        last.append(f"{name} {formatting.share(values[-1])}")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("grade (0: unchanged)")
    axes.set_title(f"{TITLES[score]} on corrupted images", loc="left", pad=44)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0, columnspacing=1.4)
    description = (
        f"{TITLES[score]} {formatting.share(clean)} on clean images; at grade 5: {', '.join(last)}."
    )
    return figure_style.inline(figure, f"corrupted_{score}", description)


def write(folder: Path, figures: dict[str, Markup]) -> None:
    """Write every figure as NAME.svg into a new folder."""
    with replacing_folder(folder) as written:
        for name, svg in figures.items():
            (written / f"{name}.svg").write_text(
                figure_style.standalone(svg), encoding="utf-8", newline="\n"
            )
