"""Convergence, learning rate and anomalies of a training history, in sentences and tables."""

from collections.abc import Callable
from dataclasses import dataclass

from trackbed.curves.analysis import Analysis
from trackbed.curves.anomalies import Anomaly, Kind
from trackbed.curves.rate_schedule import Drop, Schedule
from trackbed.curves.rate_shapes import Shape
from trackbed.curves.side_by_side import SideBySide
from trackbed.reporting.formatting import count, duration, number, percent, plural, ranges

MOST_DROPS, MOST_ANOMALIES, MOST_ROWS = 10, 30, 60
SAME_FACTOR = 0.01


def schedule_text(analysis: Analysis) -> list[str]:
    """The schedule and what followed each drop."""
    found = analysis.schedule
    if found is None:
        return []
    sentences = [f"{_shape(found)}.", *map(_drop, found.drops[:MOST_DROPS])]
    if found.different:
        others = ", ".join(found.different)
        sentences.append(f"Learning rates that differ from {found.column}: {others}.")
    return sentences


def anomalies_text(analysis: Analysis) -> list[str]:
    """Each anomaly with its numbers."""
    sentences: dict[Kind, Callable[[Anomaly], str]] = {
        Kind.NOT_FINITE: _not_finite,
        Kind.SPIKE: _spike,
        Kind.OSCILLATION: _oscillation,
        Kind.PLATEAU: _plateau,
    }
    found = [sentences[one.kind](one) for one in analysis.anomalies if one.kind in sentences]
    found += _regimes(analysis)
    if (more := len(found) - MOST_ANOMALIES) > 0:
        found[MOST_ANOMALIES:] = [f"{count(more)} more; curves.json (--out) has all."]
    return found


def _shape(found: Schedule) -> str:
    if not found.warm_up:
        if found.shape == Shape.CONSTANT:
            return f"Constant, {found.first:g}"
        if found.period:
            distance = plural(found.period, "epoch")
            return f"Up and down, {distance} from peak to peak, up to {found.highest:g}"
        text = f"{_decay(found)}, {found.first:g} to {found.last:g}"
        return text[0].upper() + text[1:]
    kind = "" if found.warm_up_shape == Shape.OTHER else f"{found.warm_up_shape} "
    rise = "rise" if found.one_cycle else "warm-up"
    text = f"{kind}{rise} over {plural(found.warm_up, 'epoch')} to {found.highest:g}, then "
    text = f"one cycle: {text}" if found.one_cycle else text
    text += _decay(found)
    if found.shape != Shape.CONSTANT:
        text += f", {'at last' if found.restarts else 'down to'} {found.last:g}"
    return text[0].upper() + text[1:]


def _decay(found: Schedule) -> str:
    """What follows the warm-up."""
    text = str(found.shape)
    if found.shape == Shape.OTHER:
        text = "of no known shape"
    elif found.shape == Shape.DROPS:
        every = f" every {plural(found.every, 'epoch')}" if found.every else ""
        text = f"constant between drops{every}{_factor(found.drops)}"
    if found.restarts:
        text += f" with restarts at {_at(found.restarts)}"
    if found.hold:
        text = f"constant for {plural(found.hold, 'epoch')}, then {text}"
    return f"{text}, then constant for {plural(found.floor, 'epoch')}" if found.floor else text


def _factor(drops: tuple[Drop, ...]) -> str:
    factors = [drop.after / drop.before for drop in drops]
    same = len(factors) > 1 and max(factors) - min(factors) <= SAME_FACTOR * max(factors)
    return f", each to {factors[0]:.2g} times" if same else ""


def _drop(drop: Drop) -> str:
    effects = "; ".join(
        f"{e.column} {e.before:.4g} before, {e.after:.4g} after" for e in drop.effects
    )
    factor = drop.after / drop.before
    text = f"Epoch {drop.epoch}: {drop.before:g} to {drop.after:g}, {factor:.2g} times"
    return f"{text} ({effects}; medians of up to 3 epochs)." if effects else f"{text}."


def _not_finite(one: Anomaly) -> str:
    words = "infinite" if one.numbers["infinite"] else "not a number"
    if one.numbers["infinite"] and one.numbers["missing"]:
        words = "infinite or not a number"
    if not one.numbers["finite"]:
        every = "in any epoch" if words == "not a number" else "in every epoch"
        return f"{one.column} is {words} {every}."
    return f"{one.column} is {words} at {_at(one.epochs)}; not part of any mean."


def _spike(one: Anomaly) -> str:
    worst = one.numbers
    verb = "spikes" if worst["worst"] > worst["around"] else "dips"
    return (
        f"{one.column} {verb} at {_at(one.epochs)}: {worst['worst']:.4g} at epoch "
        f"{worst['worst_epoch']:.0f}, {worst['around']:.4g} around."
    )


def _oscillation(one: Anomaly) -> str:
    numbers = one.numbers
    return (
        f"{one.column} swings from epoch to epoch: {numbers['turns']:.0f} turning points "
        f"({numbers['expected']:.0f} by chance), by {numbers['swing']:.4g} (median)."
    )


def _plateau(one: Anomaly) -> str:
    return (
        f"{one.column} stood at {one.numbers['level']:.4g} from epoch {one.epochs[0]} to "
        f"{one.epochs[1]}; then it improved by {one.numbers['gained_after']:.4g}."
    )


def _regimes(analysis: Analysis) -> list[str]:
    """The regime changes, those of one epoch together."""
    by_epoch: dict[int, list[Anomaly]] = {}
    for one in analysis.anomalies:
        if one.kind == Kind.REGIME_CHANGE:
            by_epoch.setdefault(one.epochs[0], []).append(one)
    dropped = {drop.epoch for drop in analysis.schedule.drops} if analysis.schedule else set()
    sentences = []
    for epoch, found in sorted(by_epoch.items()):
        steps = ", ".join(
            f"{one.column} {one.numbers['before']:.4g} to {one.numbers['after']:.4g}"
            for one in found
        )
        sentences.append(
            f"Regime change at epoch {epoch}: {steps}.{_cause(analysis, epoch, found, dropped)}"
        )
    return sentences


def _cause(analysis: Analysis, epoch: int, found: list[Anomaly], dropped: set[int]) -> str:
    if epoch in dropped:
        return " The learning rate dropped there."
    train = {column.name for column in analysis.columns if column.part == "train"}
    if any(one.column not in train for one in found):
        return ""
    text = " Only training values changed, which points to other training images or another loss."
    last = analysis.best.last_epoch - epoch + 1 if analysis.best else 0
    if analysis.kind == "Ultralytics" and last == 10:
        text += " Ultralytics switches mosaic off for the last 10 epochs (close_mosaic)."
    return text


def _at(epochs: tuple[int, ...]) -> str:
    return f"epoch{'s' if len(epochs) > 1 else ''} {ranges(epochs)}"


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(analysis: Analysis) -> list[Table]:
    """Losses, milestones and convergence, those with rows; MOST_ROWS of each."""
    found = [_losses(analysis), _values(analysis), _reached(analysis), _convergence(analysis)]
    return [_capped(table) for table in found if table.rows]


def _capped(table: Table) -> Table:
    if len(table.rows) <= MOST_ROWS:
        return table
    caption = f"{table.caption}; {MOST_ROWS} of {count(len(table.rows))} rows, all in curves.json"
    return Table(caption, table.head, table.rows[:MOST_ROWS])


def comparison_table(compared: SideBySide) -> Table:
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
                ", ".join(run.verdicts) or "n/a",
            )
        )
    head = ("run", f"best {compared.quantity}", "epoch", "last")
    head += (f"{number(compared.target)} at epoch", "after", "whole run", "parameters", "fit")
    caption = "Best value first, and when each run reached the value that all reached"
    return Table(caption, head, tuple(rows))


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
        "Losses, first to last (epoch)", ("loss", "first", "last", "change", "change in %"), rows
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
    caption = "First epoch to reach a share of the final score, or of the fall to the final loss"
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
    return Table("Convergence by range of epochs", (*head, "of the whole gain", ""), rows)
