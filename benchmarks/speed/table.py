"""Medians, ratios and the Markdown table of a bench."""

from statistics import median

from speed.bench import Bench, Rounds, Values
from speed.processes import PEAK
from speed.rounds import Outcome


def ratio(
    runs: list[Values], baseline: list[Values], column: str, *, faster_is_more: bool
) -> float:
    """How many times as fast as the baseline: the median over the rounds, each by itself.

    What slows the machine for a while slows both runs of a round.
    """
    return median(
        run[column] / other[column] if faster_is_more else other[column] / run[column]
        for run, other in zip(runs, baseline, strict=False)
    )


def section(outcome: Outcome) -> str:
    """The bench in Markdown: title, what is measured, table, notes."""
    bench = outcome.bench
    laid_out = ", ".join(
        f"{value:,.4g} {name}" for name, value in outcome.laid_out.items() if name != PEAK
    )
    lines = [f"## {bench.title}", "", bench.measures, *([f"Input: {laid_out}."] * bool(laid_out))]
    notes = [f"- {note}" for note in bench.notes(outcome.rounds)]
    return "\n".join([*lines, "", *rows(outcome), *([""] if notes else []), *notes, ""])


def rows(outcome: Outcome) -> list[str]:
    """The lines of the table; the first contestant is what the ratios refer to."""
    bench, runs = outcome.bench, outcome.rounds
    columns = _columns(runs)
    head = ["contestant"]
    for column in columns:
        head += [column, "ratio"] if column in bench.rates + bench.times else [column]
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)]
    for name in bench.contestants:
        if name in outcome.failures:
            lines.append([name, f"failed: {outcome.failures[name]}"])
        else:
            lines.append([name, *_cells(bench, runs, name, columns)])
    return ["| " + " | ".join(line) + " |" for line in lines]


def _columns(runs: Rounds) -> list[str]:
    """All columns in order of their first appearance, peak memory last."""
    seen = dict.fromkeys(column for each in runs.values() for run in each for column in run)
    return [column for column in seen if column != PEAK] + [PEAK] * (PEAK in seen)


def _cells(bench: Bench, runs: Rounds, name: str, columns: list[str]) -> list[str]:
    cells = []
    baseline = runs[next(iter(bench.contestants))]
    for column in columns:
        values = [run[column] for run in runs[name] if column in run]
        cells.append(spread(values) if values else "")
        if column in bench.rates + bench.times:
            compared = values and baseline and column in baseline[0]
            more = column in bench.rates
            cells.append(
                f"{ratio(runs[name], baseline, column, faster_is_more=more):.2f}"
                if compared
                else ""
            )
    return cells


def spread(values: list[float]) -> str:
    """The median, and where they differ the least and the most: `1,200 (1,100 to 1,250)`."""
    middle, least, most = (_number(value) for value in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least} to {most})"


def _number(value: float) -> str:
    """Three digits that count, or all before the decimal point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
