"""Findings about a training history in sentences, each with its numbers."""

from collections.abc import Callable
from dataclasses import dataclass

from trackbed.curves.analysis import Analysis, ClassScores, Timing
from trackbed.curves.best_epoch import Best, Stop, Stopped, StopReason
from trackbed.curves.fit import Verdict
from trackbed.curves.side_by_side import Choice, SideBySide
from trackbed.reporting import curves_details, curves_findings
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
    sentences += _by_another(best, analysis.others)
    if len(best.tied) > 1:
        sentences.append(f"Epochs {ranges(best.tied)} have the same value; the first is used.")
    if len(best.so_far) > 1:
        sentences.append(f"Epochs with a new best value: {ranges(best.so_far)}.")
    sentences += _afterwards(best)
    sentences.append(_stop(best, best.stop))
    rest = [f"{one.column} {number(one.value)} ({one.epoch})" for one in analysis.others]
    if rest:
        others = listed(rest, MOST_OTHERS)
        sentences.append(f"Best values of the other quantities (epoch): {others}.")
    return sentences


def _by_another(best: Best, others: tuple[Best, ...]) -> list[str]:
    """Where a validation loss and a score have different best epochs."""
    there = {name: value for name, value in best.others.items() if value == value}  # no NaN
    differ = [one for one in others if there.get(one.column, one.value) != one.value]
    if not (differ := [one for one in differ if _is_loss(one) != _is_loss(best)]):
        return []
    main = min(differ, key=lambda one: curves_findings.rank(one.column))
    value, here = number(main.value), number(best.others[main.column])
    if value == here:
        return []
    return [
        f"By {main.column} epoch {main.epoch} is the best instead: {value}, against {here} in "
        f"epoch {best.epoch}."
    ]


def _is_loss(best: Best) -> bool:
    return best.lower_is_better and "loss" in best.column.lower()


def _afterwards(best: Best) -> list[str]:
    sentences = []
    if best.epochs_since:
        worse = f", worse by {number(best.worse_by)}" if best.worse_by else ", as good"
        sentences.append(
            f"{plural(best.epochs_since, 'epoch')} followed; the last value is "
            f"{number(best.last)}{worse}."
        )
    if best.last_epoch < best.run_end:
        sentences.append(
            f"{best.column} has no finite value after epoch {best.last_epoch} of {best.run_end}."
        )
    return sentences


def fit_text(analysis: Analysis) -> list[str]:
    """The verdicts with their reasons, and the gap between training and validation."""
    fit = analysis.fit
    sentences = curves_findings.findings_text(analysis)
    if fit is None:
        return [*sentences, curves_findings.no_verdict_text(analysis)]
    gap, at_best = fit.gap, ""
    if fit.best_epoch != gap.first_epoch:
        at_best = f"{number(gap.best)} in epoch {fit.best_epoch}, "
    sentences.append(
        f"Generalisation gap (validation minus training, {fit.losses}): {number(gap.first)} "
        f"in epoch {gap.first_epoch}, {at_best}{number(gap.last)} in the last quarter."
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
    waited = plural(best.longest_wait, "epoch")
    if stop.because == StopReason.RECORDED:
        if stop.verdict == Stopped.YES:
            return f"The log records an early stop, {since} after the best epoch."
        return "The log records no early stop."
    if stop.because == StopReason.COMPLETE:
        return f"It was not stopped early: all {plural(stop.planned, 'planned epoch')} were run."
    if stop.because == StopReason.WOULD_HAVE_STOPPED:
        return (
            f"Early stopping with patience {stop.patience} would have ended it earlier: one "
            f"improvement came only after {waited} without any."
        )
    if stop.because == StopReason.PATIENCE:
        ended = "ended it" if stop.verdict == Stopped.YES else "did not end it"
        return f"Early stopping with patience {stop.patience} {ended}: {since} since the best one."
    if best.last_epoch < best.run_end:
        return "Whether it was stopped early cannot be told from a value that breaks off."
    if stop.verdict == Stopped.NO and not best.epochs_since:
        return "It was not stopped early: its best epoch is its last."
    if stop.verdict == Stopped.NO:
        return (
            f"It was not stopped early: it ends {since} after the best one, and went on after "
            f"{waited} without improvement before."
        )
    return _maybe_stopped(best, stop)


def _maybe_stopped(best: Best, stop: Stop) -> str:
    since = plural(best.epochs_since, "epoch")
    if stop.because == StopReason.SHORT_OF_PLAN:
        return (
            f"It ended after {best.run_end} of {plural(stop.planned, 'planned epoch')}: probably "
            f"stopped early with patience {stop.patience}, or interrupted."
        )
    if stop.verdict == Stopped.LIKELY:
        earlier = "before, every epoch was an improvement"
        if best.epochs_since == best.run_end - 1:
            earlier = "no epoch after the first was better"
        elif best.longest_wait:
            waited = plural(best.longest_wait, "epoch")
            earlier = f"before, it never went more than {waited} without an improvement"
        return (
            f"Probably stopped early after epoch {best.run_end}, with patience {stop.patience}: "
            f"{earlier}."
        )
    where = " and on a round number of epochs" if stop.because == StopReason.ROUND_NUMBER else ""
    return (
        f"It ends {since} after the best one{where}: by plan, or by early stopping with patience "
        f"{stop.patience}."
    )


@dataclass(frozen=True)
class Section:
    """Sentences under a title; `key` differs between the sections of a run."""

    key: str
    title: str
    sentences: tuple[str, ...]


def headline(analysis: Analysis) -> str:
    """The run in one line: losses without a number, the verdicts, the best epoch."""
    broken = curves_findings.never_finite_text(analysis)
    verdicts = curves_findings.verdicts_text(analysis)
    start = f"{broken} {verdicts}".strip()
    if not analysis.best:
        return f"{start}; {plural(analysis.epochs, 'epoch')}."
    best = analysis.best
    where = f"best epoch {best.epoch} of {best.run_end}"
    return f"{start}; {where}, {best.column} {number(best.value)}."


def sections(analysis: Analysis) -> list[Section]:
    """All findings by topic; a topic without a finding is left out."""
    topics: list[tuple[str, str, Callable[[Analysis], list[str]]]] = [
        ("best", "Best epoch", best_epoch_text),
        ("fit", "Fit", fit_text),
        ("convergence", "Convergence", curves_findings.convergence_text),
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
    worse = [one for one in chosen.verdicts if one in (Verdict.OVER_FITTING, Verdict.UNSTABLE)]
    if worse:
        sentences.append(
            f"It is {' and '.join(worse)}: keep the weights of epoch {chosen.epoch}, not the last."
        )
    if Verdict.NOT_CONVERGED in chosen.verdicts:
        sentences.append("It has not converged: more epochs may make it better still.")
    sentences.append(
        "The values are comparable only if all runs were validated on the same images. One run "
        "each does not show how much the seed matters."
    )
    return sentences


def classes_text(scores: ClassScores) -> list[str]:
    """The best and the worst classes."""
    many = len(scores.best) > MOST_OTHERS
    best = f"{len(scores.best)} of {plural(scores.classes, 'class')}" if many else ""
    worst = ", ".join(f"{name} ({value:.3f})" for name, value in scores.worst.items())
    sentences = [f"Best F1 {scores.best_f1:.3f}: {best or ', '.join(scores.best)}."]
    if len(scores.best) < scores.classes:
        sentences.append(f"Worst F1: {worst}.")
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
