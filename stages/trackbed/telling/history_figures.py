"""The curves of training histories as inline SVG: losses, scores, learning rate, time."""

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trackbed.history.analysis import Analysis
from trackbed.history.columns import Column
from trackbed.history.history import History
from trackbed.history.side_by_side import SideBySide
from trackbed.telling import canvas, curve_figures
from trackbed.telling.canvas import BLUE, DEEP, MUTED, ORANGE
from trackbed.telling.wording import duration, name, plural

SIZE = curve_figures.CURVE_SIZE
WIDE = (820, 320)
MOST = 12  # curves on a page
LOGARITHMIC = 50  # from this ratio of the highest to the median value
LOOKS = [(BLUE, "-"), (ORANGE, "-"), (DEEP, (0, (5, 2))), (MUTED, "-"), (BLUE, (0, (1, 1.5)))]
LOOKS += [(ORANGE, (0, (5, 2))), (DEEP, (0, (1, 1.5))), (MUTED, (0, (5, 2)))]


def drawn(history: History, analysis: Analysis, key: str) -> list[Markup]:
    """Up to MOST curves, the learning rate and the time.

    `key` differs between the runs of a page.
    """
    quantities = quantities_of(history)[:MOST]
    figures = [
        curve(history, quantity, analysis, f"{key}_curve{place}")
        for place, quantity in enumerate(quantities)
    ]
    if rates := history.of("rate"):
        values = history.finite(rates[0].name)
        figures.append(rate(values, f"{key}_rate"))
    if analysis.timing and history.seconds is not None:
        figures.append(time(history.seconds, analysis.timing.median, f"{key}_time"))
    return figures


def quantities_of(history: History) -> list[Column]:
    """One column per quantity, losses first; that of training where there is one."""
    found: dict[str, Column] = {}
    for column in [*history.of("loss"), *history.of("metric")]:
        found.setdefault(column.quantity, column)
    return list(found.values())


@canvas.styled
def curve(history: History, column: Column, analysis: Analysis, key: str) -> Markup:
    """A quantity in training and validation, with the monitored best epoch marked."""
    figure, axes = canvas.axes(*SIZE)
    looks = {
        "train": (MUTED, (0, (5, 2)), 1.5),
        "validation": (BLUE, "-", 2),
        "test": (DEEP, "-", 2),
    }
    shown = {
        part: history.finite(other.name)
        for part in looks
        if (other := history.partner(column, part))
    }
    for part, values in shown.items():
        colour, style, width = looks[part]
        marker = "o" if len(values) == 1 else None
        label = {"train": "training"}.get(part, part)
        axes.plot(
            values, color=colour, linestyle=style, linewidth=width, marker=marker, label=label
        )
    title = name(column.quantity, 40)
    said = f"{title} over {plural(len(history.table), 'epoch')}: {' and '.join(shown)}."
    marked = shown.get("validation", next(iter(shown.values())))
    if analysis.best:
        said += _mark(axes, analysis.best.epoch, marked)
    _scaled(axes, logarithmic=_far_apart(list(shown.values())))
    _epochs(axes, history.table.index)
    canvas.legend(axes, title)
    return canvas.inline(figure, key, said)


@canvas.styled
def rate(rates: pd.Series, key: str) -> Markup:
    """The learning rate, on a logarithmic scale where it varies much."""
    figure, axes = canvas.axes(*SIZE)
    axes.plot(rates, color=BLUE, linewidth=2, marker="o" if len(rates) == 1 else None)
    _scaled(axes, logarithmic=rates.min() > 0 and rates.max() > 20 * rates.min())
    _epochs(axes, rates.index)
    axes.set_title("Learning rate", loc="left")
    said = f"Learning rate: {rates.iloc[0]:g} at first, {rates.iloc[-1]:g} at last."
    return canvas.inline(figure, key, said)


@canvas.styled
def time(seconds: pd.Series, median: float, key: str) -> Markup:
    """Seconds of every epoch and their median."""
    figure, axes = canvas.axes(*SIZE)
    axes.bar(seconds.index, seconds.fillna(0), color=BLUE, width=0.8, label="epoch")
    axes.axhline(median, color=ORANGE, linewidth=1.2, linestyle=":", label="median")
    _epochs(axes, seconds.index)
    canvas.legend(axes, "Seconds per epoch")
    said = f"Seconds of {plural(len(seconds), 'epoch')}: median {duration(median)}."
    return canvas.inline(figure, key, said)


@canvas.styled
def together(histories: list[History], compared: SideBySide) -> Markup:
    """The common quantity of several runs in one figure, best epochs marked."""
    figure, axes = canvas.axes(*WIDE)
    curves = []
    for place, history in enumerate(histories):
        contender = compared.contenders[place]
        values = history.finite(contender.column)
        colour, style = LOOKS[place % len(LOOKS)]
        label = f"{place + 1}: {name(history.name, 60)}"
        axes.plot(values, color=colour, linestyle=style, linewidth=1.8, label=label)
        axes.plot(contender.epoch, contender.value, "o", color=colour)
        curves.append(values)
    _scaled(axes, logarithmic=_far_apart(curves))
    _epochs(axes, pd.Index(sorted({epoch for values in curves for epoch in values.index})))
    title = f"{name(compared.quantity, 40)} in validation, best epochs marked"
    canvas.legend(axes, title, rows=len(histories))
    return canvas.inline(figure, "together", f"{title}, of {plural(len(histories), 'run')}.")


def _mark(axes: Axes, epoch: int, values: pd.Series) -> str:
    axes.axvline(epoch, color=ORANGE, linewidth=1, linestyle=":")
    if epoch not in values.index:
        return ""
    axes.plot(epoch, values[epoch], "o", color=ORANGE, label=f"best ({epoch})")
    return f" Best epoch {epoch}: {values[epoch]:.4g}."


def _far_apart(curves: list[pd.Series]) -> bool:
    """A first value far above the rest would press it flat."""
    values = np.concatenate([curve.to_numpy() for curve in curves])
    return bool(values.min() > 0 and values.max() > LOGARITHMIC * np.median(values))


def _scaled(axes: Axes, *, logarithmic: bool) -> None:
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=8))
        axes.yaxis.set_minor_locator(NullLocator())
    # Matplotlib writes powers of ten in mathtext, which is switched off.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _epochs(axes: Axes, epochs: pd.Index) -> None:
    first, last = int(epochs[0]), int(epochs[-1])
    margin = max(0.5, 0.02 * (last - first + 1))
    axes.set_xlim(first - margin, last + margin)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
