"""Findings about a training history in sentences, each with its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

from trackbed.curves.analysis import Analysis, ClassScores, Timing
from trackbed.curves.best_epoch import Best, Stop, Stopped, StopReason
from trackbed.curves.fit import FEWEST_EPOCHS, SOLVED, Fit, Reason, Verdict
from trackbed.curves.side_by_side import Choice, SideBySide
from trackbed.reporting import curves_details
from trackbed.reporting.formatting import count, duration, listed, number, percent, plural, ranges

MOST_OTHERS = 8


def best_epoch_text(analysis: Analysis) -> list[str]:
    """Which epoch was best and by what, and whether the run was stopped early."""
    best = analysis.best
    if best is None:
        return []
    what = "lowest" if best.lower_is_better else "highest"
    sentences = [f"Epoch {best.epoch} by {best.column}: {number(best.value)}, the {what}."]
    there = [f"{name} {number(value)}" for name, value in best.others.items()]
    if there:
        sentences.append(f"Other values there: {listed(there, MOST_OTHERS)}.")
    if len(best.tied) > 1:
        sentences.append(f"Epochs {ranges(best.tied)} have the same value; the first is used.")
    sentences.append(f"Epochs with a new best value: {ranges(best.so_far)}.")
    if best.epochs_since:
        sentences.append(
            f"{plural(best.epochs_since, 'epoch')} followed; the last value is "
            f"{number(best.last)}, worse by {number(best.worse_by)}."
        )
    sentences.append(_stop(best, best.stop))
    rest = [f"{one.column} {number(one.value)} ({one.epoch})" for one in analysis.others]
    if rest:
        others = listed(rest, MOST_OTHERS)
        sentences.append(f"Best values of the other quantities (epoch): {others}.")
    return sentences


def fit_text(analysis: Analysis) -> list[str]:
    """The verdict, its reason, and the gap between training and validation."""
    fit = analysis.fit
    if fit is None:
        return [f"No verdict: it needs training and validation losses of {FEWEST_EPOCHS} epochs."]
    sentences = [f"{fit.verdict.capitalize()}: {_reason(fit)}."]
    if fit.verdict == Verdict.UNDER_FITTING and fit.rises:
        sentences.append(f"In addition, {_rise(fit)}.")
    gap = fit.gap
    sentences.append(
        f"Generalisation gap (validation minus training, {fit.losses}): {number(gap.first)} "
        f"in the first epoch, {number(gap.best)} in epoch {fit.best_epoch}, {number(gap.last)} in "
        f"the last quarter."
    )
    if fit.growth and fit.growth.direction:
        moves = "grows" if fit.growth.direction > 0 else "shrinks"
        sentences.append(
            f"It {moves} by {number(abs(fit.growth.slope))} per epoch from epoch "
            f"{fit.growth.first} on (95 % interval of the change {number(fit.growth.low)} to "
            f"{number(fit.growth.high)})."
        )
    return sentences


def _stop(best: Best, stop: Stop) -> str:
    since = plural(best.epochs_since, "epoch")
    if stop.because == StopReason.RECORDED:
        if stop.verdict == Stopped.YES:
            return f"The log records an early stop, {since} after the best epoch."
        return "The log records no early stop."
    if stop.because == StopReason.WOULD_HAVE_STOPPED:
        return (
            f"Early stopping with patience {stop.patience} would have ended it earlier: one "
            f"improvement took {best.longest_wait} epochs."
        )
    if stop.because == StopReason.PATIENCE:
        ended = "ended it" if stop.verdict == Stopped.YES else "did not end it"
        return f"Early stopping with patience {stop.patience} {ended}: {since} since the best one."
    if stop.verdict == Stopped.NO and not best.epochs_since:
        return "It was not stopped early: its best epoch is its last."
    if stop.verdict == Stopped.NO:
        return (
            f"It was not stopped early: it ends {since} after the best one, and went on after "
            f"{best.longest_wait} epochs without improvement before."
        )
    if stop.verdict == Stopped.LIKELY:
        return (
            f"Probably stopped early after epoch {best.last_epoch}, with patience {stop.patience}: "
            f"no earlier improvement took more than {best.longest_wait} epochs."
        )
    where = " and on a round number of epochs" if stop.because == StopReason.ROUND_NUMBER else ""
    return (
        f"It ends {since} after the best one{where}: by plan, or by early stopping with patience "
        f"{stop.patience}."
    )


def _reason(fit: Fit) -> str:
    scores = (
        f"{number(fit.training_score)} in training, {number(fit.validation_score)} in validation"
    )
    if fit.because == Reason.LOSS_RISES:
        return _rise(fit) + (f", with {fit.score} {scores}" if fit.score else "")
    if fit.because == Reason.SCORE_GAP:
        return f"from epoch {fit.onset} on the gap in {fit.score} persists: {scores} at the end"
    if fit.because == Reason.LOW_SCORE:
        return (
            f"training {fit.score} ends at {number(fit.training_score)}, below {SOLVED:.2f}: the "
            f"network does not fit the training images"
        )
    if fit.because == Reason.NOTHING_LEARNED:
        return "the training loss never fell by more than 1 % of its first value"
    if fit.because == Reason.STILL_FALLING and fit.tail:
        return (
            f"the validation loss still falls in the last quarter, by {number(-fit.tail.slope)} "
            f"per epoch (95 % interval {number(-fit.tail.high)} to {number(-fit.tail.low)})"
        )
    if fit.because == Reason.SCATTER:
        return (
            f"in the second half the scatter of the validation loss is "
            f"{percent(fit.scatter_share)} of its whole fall"
        )
    if fit.because == Reason.NOT_FINITE:
        return "the training loss of the last epoch is not a finite number"
    ends = f"the validation loss ends at {number(fit.last_loss)}, best {number(fit.best_loss)}"
    return f"{ends}, and does not rise" + (f" ({fit.score} {scores})" if fit.score else "")


def _rise(fit: Fit) -> str:
    times = f", {fit.last_loss / fit.best_loss:.1f} times as much" if fit.best_loss > 0 else ""
    return (
        f"from epoch {fit.best_epoch} on the validation loss rises, from {number(fit.best_loss)} "
        f"to {number(fit.last_loss)}{times}"
    )


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
    """All findings by topic; a topic without a finding is left out."""
    topics: list[tuple[str, str, Callable[[Analysis], list[str]]]] = [
        ("best", "Best epoch", best_epoch_text),
        ("fit", "Fit", fit_text),
        ("convergence", "Convergence", curves_details.convergence_text),
        ("schedule", "Learning rate", curves_details.schedule_text),
        ("anomalies", "Anomalies", curves_details.anomalies_text),
        ("time", "Time", lambda analysis: timing_text(analysis.timing)),
    ]
    found = [Section(key, title, tuple(say(analysis))) for key, title, say in topics]
    return [section for section in found if section.sentences]


def comparison_text(compared: SideBySide) -> list[str]:
    """Which of several runs to choose, and why."""
    runs, chosen = compared.contenders, compared.contenders[compared.chosen]
    first = runs[compared.order[0]]
    sentences = [
        f"Choose {chosen.name}: {compared.quantity} {number(chosen.value)} at epoch {chosen.epoch}"
        f"{_because(compared)}."
    ]
    if len(compared.even) > 1:
        names = ", ".join(runs[place].name for place in compared.even)
        sentences.append(
            f"{names} are equally good: their best values differ from {number(first.value)} by no "
            f"more than the scatter of one run from epoch to epoch."
        )
    if chosen.fit in (Verdict.OVER_FITTING, Verdict.UNSTABLE):
        sentences.append(
            f"It is {chosen.fit}: keep the weights of epoch {chosen.epoch}, not the last."
        )
    if chosen.fit == Verdict.NOT_CONVERGED:
        sentences.append("It has not converged: more epochs may make it better still.")
    sentences.append(
        "The values are comparable only if all runs were validated on the same images. One run "
        "each does not show how much the seed matters."
    )
    return sentences


def classes_text(scores: ClassScores) -> list[str]:
    """The best and the worst classes."""
    best = (
        f"{len(scores.best)} of {plural(scores.classes, 'class')}" if len(scores.best) > 8 else ""
    )
    worst = ", ".join(f"{name} ({value:.3f})" for name, value in scores.worst.items())
    sentences = [
        f"Best F1 {scores.best_f1:.3f}: {best or ', '.join(scores.best)}.",
        f"Worst F1: {worst}.",
    ]
    if scores.weighted:
        means = ", ".join(f"{name} {value:.4f}" for name, value in scores.weighted.items())
        sentences.append(f"Weighted by support ({count(scores.support)} images): {means}.")
    return sentences


def _because(compared: SideBySide) -> str:
    if compared.because == Choice.BEST_VALUE:
        return ", the best value"
    chosen = compared.contenders[compared.chosen]
    if compared.because == Choice.FEWEST_PARAMETERS:
        return f", with {count(chosen.parameters)} parameters the smallest of the equally good ones"
    return f", the fastest of the equally good ones ({duration(chosen.seconds)})"


def timing_text(found: Timing | None) -> list[str]:
    """Time of all epochs and of one, pauses and slow epochs, rate; [] where not measured."""
    if found is None:
        return []
    sentences = [
        f"{duration(found.total)} for {plural(found.epochs, 'epoch')}: median "
        f"{duration(found.median)} an epoch, mean {duration(found.mean)}."
    ]
    if found.start is not None:
        sentences.append(f"The first epoch took {duration(found.start)}, including the start.")
    return sentences + _extremes(found)


def _extremes(timing: Timing) -> list[str]:
    sentences = []
    if timing.pauses:
        epochs = ", ".join(f"{epoch} ({duration(s)})" for epoch, s in timing.pauses.items())
        sentences.append(f"Paused in epoch {epochs}; without that {duration(timing.spent)}.")
    if timing.slow:
        longest = duration(max(timing.slow.values()))
        sentences.append(f"Slow in epoch {ranges(list(timing.slow))}: up to {longest}.")
    if timing.images_per_second is not None:
        sentences.append(f"{number(timing.images_per_second)} images/s (median).")
    if timing.waiting is not None:
        sentences.append(f"Waiting for data took {percent(timing.waiting)} of the training time.")
    return sentences
