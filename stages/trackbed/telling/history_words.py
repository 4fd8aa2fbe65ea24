"""The findings about a training history in sentences, each with the numbers that carry it."""

from collections.abc import Callable
from dataclasses import dataclass

from trackbed.history.analysis import Analysis
from trackbed.history.class_scores import ClassScores
from trackbed.history.side_by_side import SideBySide
from trackbed.history.timing import Timing
from trackbed.telling import history_events, history_verdicts
from trackbed.telling.history_numbers import number, ranges
from trackbed.telling.wording import count, duration, percent, plural


@dataclass(frozen=True)
class Section:
    """Sentences under a title; `key` differs between the sections of a run."""

    key: str
    title: str
    sentences: tuple[str, ...]


def headline(analysis: Analysis) -> str:
    """The run in one line."""
    verdict = analysis.fit.verdict.capitalize() if analysis.fit else "No verdict"
    if not analysis.best:
        return f"{verdict}; {plural(analysis.epochs, 'epoch')}."
    best = analysis.best
    where = f"best epoch {best.epoch} of {best.last_epoch}"
    return f"{verdict}; {where}, {best.column} {number(best.value)}."


def sections(analysis: Analysis) -> list[Section]:
    """Everything that was found, topic by topic; a topic without a finding is left out."""
    topics: list[tuple[str, str, Callable[[Analysis], list[str]]]] = [
        ("best", "Best epoch", history_verdicts.best),
        ("fit", "Fit", history_verdicts.fit),
        ("convergence", "Convergence", history_events.convergence),
        ("schedule", "Learning rate", history_events.schedule),
        ("anomalies", "Anomalies", history_events.anomalies),
        ("time", "Time", _time),
    ]
    found = [Section(key, title, tuple(say(analysis))) for key, title, say in topics]
    return [section for section in found if section.sentences]


def comparison(compared: SideBySide) -> list[str]:
    """Which of several runs to take, and why."""
    runs, chosen = compared.contenders, compared.contenders[compared.chosen]
    first = runs[compared.order[0]]
    said = [
        f"Take {chosen.name}: {compared.quantity} {number(chosen.value)} at epoch {chosen.epoch}"
        f"{_because(compared)}."
    ]
    if len(compared.even) > 1:
        names = ", ".join(runs[place].name for place in compared.even)
        said.append(
            f"{names} are even: their best values differ from {number(first.value)} by no more "
            f"than the values of one run scatter from epoch to epoch."
        )
    if chosen.fit in ("over-fitting", "unstable"):
        said.append(f"It is {chosen.fit}: keep the weights of epoch {chosen.epoch}, not the last.")
    if chosen.fit == "not converged":
        said.append("It has not converged: more epochs may make it better still.")
    said.append(
        "The values compare only if all runs were validated on the same images; one run each says "
        "nothing of the chance of the seed."
    )
    return said


def classes(scores: ClassScores) -> list[str]:
    """The best and the worst classes."""
    best = (
        f"{len(scores.best)} of {plural(scores.classes, 'class')}" if len(scores.best) > 8 else ""
    )
    worst = ", ".join(f"{name} ({value:.3f})" for name, value in scores.worst.items())
    said = [
        f"Best F1 {scores.best_f1:.3f}: {best or ', '.join(scores.best)}.",
        f"Worst F1: {worst}.",
    ]
    if scores.weighted:
        means = ", ".join(f"{name} {value:.4f}" for name, value in scores.weighted.items())
        said.append(f"Weighted by support ({count(scores.support)} images): {means}.")
    return said


def _because(compared: SideBySide) -> str:
    if compared.because == "best value":
        return ", the best value"
    chosen = compared.contenders[compared.chosen]
    if compared.because == "fewest parameters":
        return (
            f", with {count(chosen.parameters)} parameters the smallest of those even with the best"
        )
    return f", the soonest there of those even with the best ({duration(chosen.seconds)})"


def _time(analysis: Analysis) -> list[str]:
    timing = analysis.timing
    if timing is None:
        return []
    said = [
        f"{duration(timing.total)} for {plural(timing.epochs, 'epoch')}: median "
        f"{duration(timing.median)} an epoch, mean {duration(timing.mean)}."
    ]
    if timing.start is not None:
        said.append(f"The first epoch took {duration(timing.start)}, its start included.")
    return said + _extremes(timing)


def _extremes(timing: Timing) -> list[str]:
    said = []
    if timing.pauses:
        listed = ", ".join(f"{epoch} ({duration(s)})" for epoch, s in timing.pauses.items())
        said.append(f"Paused in epoch {listed}; without that {duration(timing.spent)}.")
    if timing.slow:
        longest = duration(max(timing.slow.values()))
        said.append(f"Slow in epoch {ranges(list(timing.slow))}: up to {longest}.")
    if timing.images_per_second is not None:
        said.append(f"{number(timing.images_per_second)} images/s (median).")
    if timing.waiting is not None:
        said.append(f"Waiting for data took {percent(timing.waiting)} of the training time.")
    return said
