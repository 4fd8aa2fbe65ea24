"""Analysed training histories as text, Markdown, JSON and one self-contained HTML page."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from trackbed.curves.analysis import Analysis, ClassScores
from trackbed.curves.columns import Column
from trackbed.curves.history import History
from trackbed.curves.side_by_side import SideBySide
from trackbed.pipeline.outputs import write_json
from trackbed.reporting import (
    curves_details,
    curves_text,
    figure_style,
    formatting,
    html,
    training_log,
)
from trackbed.reporting.curves_details import Table
from trackbed.reporting.figure_style import BLUE, DEEP, MUTED, ORANGE
from trackbed.reporting.formatting import duration, name, plural

SIZE = training_log.CURVE_SIZE
WIDE = (820, 320)
MOST = 12  # curves on a page
LOGARITHMIC = 50  # from this ratio of the highest to the median value
LOOKS = [(BLUE, "-"), (ORANGE, "-"), (DEEP, (0, (5, 2))), (MUTED, "-"), (BLUE, (0, (1, 1.5)))]
LOOKS += [(ORANGE, (0, (5, 2))), (DEEP, (0, (1, 1.5))), (MUTED, (0, (5, 2)))]


def run_figures(history: History, analysis: Analysis, key: str) -> list[Markup]:
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


@figure_style.styled
def curve(history: History, column: Column, analysis: Analysis, key: str) -> Markup:
    """A quantity in training and validation, with the monitored best epoch marked."""
    figure, axes = figure_style.axes(*SIZE)
    looks = {
        "train": (MUTED, (0, (5, 2)), 1.5),
        "validation": (BLUE, "-", 2),
        "test": (DEEP, "-", 2),
    }
    curves = {
        part: history.finite(other.name)
        for part in looks
        if (other := history.partner(column, part))
    }
    for part, values in curves.items():
        colour, style, width = looks[part]
        marker = "o" if len(values) == 1 else None
        label = {"train": "training"}.get(part, part)
        axes.plot(
            values, color=colour, linestyle=style, linewidth=width, marker=marker, label=label
        )
    title = name(column.quantity, 40)
    description = f"{title} over {plural(len(history.table), 'epoch')}: {' and '.join(curves)}."
    marked = curves.get("validation", next(iter(curves.values())))
    if analysis.best:
        description += _mark(axes, analysis.best.epoch, marked)
    _scaled(axes, logarithmic=_far_apart(list(curves.values())))
    _epochs(axes, history.table.index)
    figure_style.legend(axes, title)
    return figure_style.inline(figure, key, description)


@figure_style.styled
def rate(rates: pd.Series, key: str) -> Markup:
    """The learning rate, on a logarithmic scale where it varies much."""
    figure, axes = figure_style.axes(*SIZE)
    axes.plot(rates, color=BLUE, linewidth=2, marker="o" if len(rates) == 1 else None)
    _scaled(axes, logarithmic=rates.min() > 0 and rates.max() > 20 * rates.min())
    _epochs(axes, rates.index)
    axes.set_title("Learning rate", loc="left")
    description = f"Learning rate: {rates.iloc[0]:g} at first, {rates.iloc[-1]:g} at last."
    return figure_style.inline(figure, key, description)


@figure_style.styled
def time(seconds: pd.Series, median: float, key: str) -> Markup:
    """Seconds of every epoch and their median."""
    figure, axes = figure_style.axes(*SIZE)
    axes.bar(seconds.index, seconds.fillna(0), color=BLUE, width=0.8, label="epoch")
    axes.axhline(median, color=ORANGE, linewidth=1.2, linestyle=":", label="median")
    _epochs(axes, seconds.index)
    figure_style.legend(axes, "Seconds per epoch")
    description = f"Seconds of {plural(len(seconds), 'epoch')}: median {duration(median)}."
    return figure_style.inline(figure, key, description)


@figure_style.styled
def together(histories: list[History], compared: SideBySide) -> Markup:
    """The common quantity of several runs in one figure, best epochs marked."""
    figure, axes = figure_style.axes(*WIDE)
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
    figure_style.legend(axes, title, rows=len(histories))
    return figure_style.inline(figure, "together", f"{title}, of {plural(len(histories), 'run')}.")


def _mark(axes: Axes, epoch: int, values: pd.Series) -> str:
    axes.axvline(epoch, color=ORANGE, linewidth=1, linestyle=":")
    if epoch not in values.index:
        return ""
    axes.plot(epoch, values[epoch], "o", color=ORANGE, label=f"best ({epoch})")
    return f" Best epoch {epoch}: {values[epoch]:.4g}."


def _far_apart(curves: list[pd.Series]) -> bool:
    """Whether a first value far above the rest would flatten the curve."""
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


STEM = "curves"


@dataclass(frozen=True)
class Findings:
    """What one call of the command found: runs in the order given, their comparison, classes."""

    histories: list[History]
    analyses: list[Analysis]
    compared: SideBySide | None = None
    classes: ClassScores | None = None


def text(findings: Findings) -> str:
    """The findings for a terminal."""
    lines = []
    for analysis in findings.analyses:
        lines += [f"{analysis.name} ({analysis.kind})", curves_text.headline(analysis)]
        lines += [f"  {note}" for note in analysis.notes]
        if analysis.unknown:
            lines.append(f"  Columns not analysed: {formatting.listed(analysis.unknown, MOST)}.")
        for section in curves_text.sections(analysis):
            lines += [f"{section.title}:", *(f"  {text}" for text in section.sentences)]
        lines.append("")
    if findings.compared:
        lines += ["Side by side:", *_aligned(curves_details.comparison_table(findings.compared))]
        lines += [*curves_text.comparison_text(findings.compared), ""]
    elif len(findings.analyses) > 1:
        lines += ["Side by side: the runs have no validation loss or score in common.", ""]
    if findings.classes:
        lines += ["Classes:", *(f"  {text}" for text in curves_text.classes_text(findings.classes))]
    return "\n".join(map(_printable, lines)).rstrip()


def write(folder: Path, findings: Findings) -> list[Path]:
    """Write curves.html, curves.md and curves.json; the paths."""
    paths = [folder / f"{STEM}.{ending}" for ending in ("html", "md", "json")]
    compared = findings.compared
    runs = [
        _run(history, analysis, f"run{place}")
        for place, (history, analysis) in enumerate(
            zip(findings.histories, findings.analyses, strict=True)
        )
    ]
    content = {
        "runs": runs,
        "several": len(runs) > 1,
        "compared": curves_details.comparison_table(compared) if compared else None,
        "comparison": curves_text.comparison_text(compared) if compared else [],
        "together": together(findings.histories, compared) if compared else None,
        "classes": curves_text.classes_text(findings.classes) if findings.classes else [],
    }
    html.write_page(paths[0], html.environment(autoescape=True), "history.html.j2", content)
    plain = html.environment(autoescape=False)
    plain.filters["markdown"] = formatting.markdown
    html.write_page(paths[1], plain, "history.md.j2", content)
    write_json(paths[2], values(findings))
    return paths


def values(findings: Findings) -> dict[str, Any]:
    """The findings as JSON takes them, with the curves themselves."""
    pairs = zip(findings.histories, findings.analyses, strict=True)
    return {
        "runs": [analysis.values() | {"curves": _curves(history)} for history, analysis in pairs],
        "side_by_side": asdict(findings.compared) if findings.compared else None,
        "classes": asdict(findings.classes) if findings.classes else None,
    }


def _curves(history: History) -> dict[str, list[float]]:
    return {"epoch": history.table.index.tolist()} | history.table.to_dict("list")


def _run(history: History, analysis: Analysis, key: str) -> dict[str, Any]:
    left_out = len(quantities_of(history)) - MOST
    return {
        "key": key,
        "analysis": analysis,
        "headline": curves_text.headline(analysis),
        "sections": curves_text.sections(analysis),
        "tables": curves_details.tables(analysis),
        "figures": run_figures(history, analysis, key),
        "left_out": max(0, left_out),
    }


def _printable(line: str) -> str:
    """Names of columns may hold what moves a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )


def _aligned(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.head))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
