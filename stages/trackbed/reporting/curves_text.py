"""Findings about a training history in sentences, each with the numbers that carry it."""

from collections.abc import Callable
from dataclasses import dataclass

from trackbed.curves.analysis import Analysis, ClassScores, Timing
from trackbed.curves.best_epoch import Best, Stop, Stopped, StopReason
from trackbed.curves.fit import FEWEST_EPOCHS, SOLVED, Fit, Reason, Verdict
from trackbed.curves.side_by_side import Choice, SideBySide
from trackbed.reporting import curves_details
from trackbed.reporting.formatting import count, digits, duration, percent, plural, ranges

MOST_OTHERS = 8


def best(analysis: Analysis) -> list[str]:
    """Which epoch was best and by what, and whether the run was stopped early."""
    best = analysis.best
    if best is None:
        return []
    what = "lowest" if best.lower_is_better else "highest"
    said = [f"Epoch {best.epoch} by {best.column}: {digits(best.value)}, the {what}."]
    there = [f"{name} {digits(value)}" for name, value in best.others.items()]
    if there:
        said.append(f"There: {_listed(there)}.")
    if len(best.tied) > 1:
        said.append(f"Epochs {ranges(best.tied)} have the same value; the first counts.")
    said.append(f"Better than all before: epochs {ranges(best.so_far)}.")
    if best.epochs_since:
        said.append(
            f"{plural(best.epochs_since, 'epoch')} followed; the last value is "
            f"{digits(best.last)}, worse by {digits(best.worse_by)}."
        )
    said.append(_stop(best, best.stop))
    rest = [f"{one.column} {digits(one.value)} ({one.epoch})" for one in analysis.others]
    if rest:
        said.append(f"Best of the others (epoch): {_listed(rest)}.")
    return said


def fit(analysis: Analysis) -> list[str]:
    """The verdict, its reason, and the gap between training and validation."""
    fit = analysis.fit
    if fit is None:
        return [f"No verdict: it takes training and validation losses of {FEWEST_EPOCHS} epochs."]
    said = [f"{fit.verdict.capitalize()}: {_reason(fit)}."]
    if fit.verdict == Verdict.UNDER_FITTING and fit.rises:
        said.append(f"Besides, {_rise(fit)}.")
    gap = fit.gap
    said.append(
        f"Generalisation gap (validation minus training, {fit.losses}): {digits(gap.first)} at "
        f"first, {digits(gap.best)} at epoch {fit.best_epoch}, {digits(gap.last)} in the last "
        f"quarter."
    )
    if fit.growth and fit.growth.direction:
        moves = "grows" if fit.growth.direction > 0 else "shrinks"
        said.append(
            f"It {moves} by {digits(abs(fit.growth.slope))} per epoch from epoch "
            f"{fit.growth.first} on (95 % interval of the change {digits(fit.growth.low)} to "
            f"{digits(fit.growth.high)})."
        )
    return said


def _listed(parts: list[str]) -> str:
    more = f" and {len(parts) - MOST_OTHERS} more" if len(parts) > MOST_OTHERS else ""
    return ", ".join(parts[:MOST_OTHERS]) + more


def _stop(best: Best, stop: Stop) -> str:
    since = plural(best.epochs_since, "epoch")
    if stop.because == StopReason.RECORDED:
        if stop.verdict == Stopped.YES:
            return f"The log says that it was stopped early, {since} after its best."
        return "The log says that it was not stopped early."
    if stop.because == StopReason.WOULD_HAVE_STOPPED:
        return (
            f"Patience {stop.patience} would have ended it before: it once waited "
            f"{best.longest_wait} epochs for a better value."
        )
    if stop.because == StopReason.PATIENCE:
        ended = "ended it" if stop.verdict == Stopped.YES else "did not end it"
        return f"Early stopping with patience {stop.patience} {ended}: {since} since its best."
    if stop.verdict == Stopped.NO and not best.epochs_since:
        return "It was not stopped early: its best epoch is its last."
    if stop.verdict == Stopped.NO:
        return (
            f"It was not stopped early: it ends {since} after its best, and lived through a wait "
            f"of {best.longest_wait} before."
        )
    if stop.verdict == Stopped.LIKELY:
        return (
            f"Probably stopped early after epoch {best.last_epoch}, with patience {stop.patience}: "
            f"its longest wait for a better value before was {best.longest_wait} epochs."
        )
    where = " and on a round number of epochs" if stop.because == StopReason.ROUND_NUMBER else ""
    return (
        f"It ends {since} after its best{where}: its planned end, or early stopping with patience "
        f"{stop.patience}."
    )


def _reason(fit: Fit) -> str:
    scores = (
        f"{digits(fit.training_score)} in training, {digits(fit.validation_score)} in validation"
    )
    if fit.because == Reason.LOSS_RISES:
        return _rise(fit) + (f", with {fit.score} {scores}" if fit.score else "")
    if fit.because == Reason.SCORE_GAP:
        return f"from epoch {fit.onset} on the gap of {fit.score} stays; it ends at {scores}"
    if fit.because == Reason.LOW_SCORE:
        return (
            f"training {fit.score} ends at {digits(fit.training_score)}, below {SOLVED:.2f}: the "
            f"training images themselves are not learned"
        )
    if fit.because == Reason.NOTHING_LEARNED:
        return "the training loss never fell by 1 % of its first value: nothing was learned"
    if fit.because == Reason.STILL_FALLING and fit.tail:
        return (
            f"the validation loss still falls in the last quarter, by {digits(-fit.tail.slope)} "
            f"per epoch (95 % interval {digits(-fit.tail.high)} to {digits(-fit.tail.low)})"
        )
    if fit.because == Reason.SCATTER:
        return (
            f"in the second half the validation loss scatters by {percent(fit.scatter_share)} of "
            f"all that was gained"
        )
    if fit.because == Reason.NOT_FINITE:
        return "the training loss of the last epoch is no finite number"
    ends = f"the validation loss ends at {digits(fit.last_loss)}, best {digits(fit.best_loss)}"
    return f"{ends}, and does not rise" + (f" ({fit.score} {scores})" if fit.score else "")


def _rise(fit: Fit) -> str:
    times = f", {fit.last_loss / fit.best_loss:.1f} times as much" if fit.best_loss > 0 else ""
    return (
        f"from epoch {fit.best_epoch} on the validation loss rises, from {digits(fit.best_loss)} "
        f"to {digits(fit.last_loss)}{times}"
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
    return f"{verdict}; {where}, {best.column} {digits(best.value)}."


def sections(analysis: Analysis) -> list[Section]:
    """Everything that was found, topic by topic; a topic without a finding is left out."""
    topics: list[tuple[str, str, Callable[[Analysis], list[str]]]] = [
        ("best", "Best epoch", best),
        ("fit", "Fit", fit),
        ("convergence", "Convergence", curves_details.convergence),
        ("schedule", "Learning rate", curves_details.schedule),
        ("anomalies", "Anomalies", curves_details.anomalies),
        ("time", "Time", lambda analysis: timing(analysis.timing)),
    ]
    found = [Section(key, title, tuple(say(analysis))) for key, title, say in topics]
    return [section for section in found if section.sentences]


def comparison(compared: SideBySide) -> list[str]:
    """Which of several runs to take, and why."""
    runs, chosen = compared.contenders, compared.contenders[compared.chosen]
    first = runs[compared.order[0]]
    said = [
        f"Take {chosen.name}: {compared.quantity} {digits(chosen.value)} at epoch {chosen.epoch}"
        f"{_because(compared)}."
    ]
    if len(compared.even) > 1:
        names = ", ".join(runs[place].name for place in compared.even)
        said.append(
            f"{names} are even: their best values differ from {digits(first.value)} by no more "
            f"than the values of one run scatter from epoch to epoch."
        )
    if chosen.fit in (Verdict.OVER_FITTING, Verdict.UNSTABLE):
        said.append(f"It is {chosen.fit}: keep the weights of epoch {chosen.epoch}, not the last.")
    if chosen.fit == Verdict.NOT_CONVERGED:
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
    if compared.because == Choice.BEST_VALUE:
        return ", the best value"
    chosen = compared.contenders[compared.chosen]
    if compared.because == Choice.FEWEST_PARAMETERS:
        return (
            f", with {count(chosen.parameters)} parameters the smallest of those even with the best"
        )
    return f", the soonest there of those even with the best ({duration(chosen.seconds)})"


def timing(found: Timing | None) -> list[str]:
    """Time of all epochs and of one, pauses and slow epochs, rate; [] where not measured."""
    if found is None:
        return []
    sentences = [
        f"{duration(found.total)} for {plural(found.epochs, 'epoch')}: median "
        f"{duration(found.median)} an epoch, mean {duration(found.mean)}."
    ]
    if found.start is not None:
        sentences.append(f"The first epoch took {duration(found.start)}, its start included.")
    return sentences + _extremes(found)


def _extremes(timing: Timing) -> list[str]:
    said = []
    if timing.pauses:
        listed = ", ".join(f"{epoch} ({duration(s)})" for epoch, s in timing.pauses.items())
        said.append(f"Paused in epoch {listed}; without that {duration(timing.spent)}.")
    if timing.slow:
        longest = duration(max(timing.slow.values()))
        said.append(f"Slow in epoch {ranges(list(timing.slow))}: up to {longest}.")
    if timing.images_per_second is not None:
        said.append(f"{digits(timing.images_per_second)} images/s (median).")
    if timing.waiting is not None:
        said.append(f"Waiting for data took {percent(timing.waiting)} of the training time.")
    return said
