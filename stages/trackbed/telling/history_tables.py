"""The findings about training histories in tables, for Markdown and HTML alike."""

from dataclasses import dataclass

from trackbed.history.analysis import Analysis
from trackbed.history.side_by_side import SideBySide
from trackbed.telling.history_numbers import number
from trackbed.telling.wording import count, duration, percent


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row, the others are numbers and words."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(analysis: Analysis) -> list[Table]:
    """Losses, milestones and convergence, those with rows."""
    found = [_losses(analysis), _values(analysis), _reached(analysis), _convergence(analysis)]
    return [table for table in found if table.rows]


def side_by_side(compared: SideBySide) -> Table:
    """One row per run, best value first."""
    rows = []
    for place in compared.order:
        run = compared.contenders[place]
        rows.append(
            (
                run.name,
                number(run.value),
                str(run.epoch),
                number(run.last),
                str(run.reached),
                duration(run.seconds),
                duration(run.total_seconds),
                count(run.parameters),
                run.fit or "n/a",
            )
        )
    head = ("run", f"best {compared.quantity}", "epoch", "last")
    head += (f"{number(compared.target)} at epoch", "after", "whole run", "parameters", "fit")
    return Table("Best value first; the value that every run reached, and when", head, tuple(rows))


def _losses(analysis: Analysis) -> Table:
    rows = tuple(
        (
            one.column,
            f"{number(one.first)} ({one.first_epoch})",
            f"{number(one.last)} ({one.last_epoch})",
            f"{one.absolute:+.4g}",
            "n/a" if one.percent is None else f"{one.percent:+.1f} %",
        )
        for one in analysis.losses
    )
    return Table(
        "Losses, first to last (epoch)", ("loss", "first", "last", "change", "of it"), rows
    )


def _values(analysis: Analysis) -> Table:
    epochs = sorted({epoch for one in analysis.milestones for epoch in one.values})
    rows = tuple(
        (one.column, *(number(one.values.get(epoch)) for epoch in epochs))
        for one in analysis.milestones
    )
    return Table("Milestones: values by epoch", ("epoch", *map(str, epochs)), rows)


def _reached(analysis: Analysis) -> Table:
    rows = tuple(
        (one.column, *(str(epoch) for epoch in one.reached.values()))
        for one in analysis.milestones
        if one.reached
    )
    caption = "First epoch to reach a share of the final score, or of the way to the final loss"
    return Table(caption, ("", "90 %", "95 %", "99 %"), rows)


def _convergence(analysis: Analysis) -> Table:
    rows = tuple(
        (
            f"{one.column} {part.first}-{part.last}",
            number(part.mean),
            number(part.deviation),
            percent(part.variation),
            number(part.gain),
            f"{number(part.low)} to {number(part.high)}",
            percent(part.share),
            part.word,
        )
        for one in analysis.convergence
        for part in one.ranges
    )
    head = ("epochs", "mean", "deviation", "variation", "gain per epoch", "95 % interval")
    return Table("Convergence by range of epochs", (*head, "of all gained", ""), rows)
