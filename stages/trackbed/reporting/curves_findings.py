"""Verdicts and convergence of a training history in sentences, each with its numbers."""

from collections.abc import Callable

from trackbed.curves.analysis import Analysis
from trackbed.curves.convergence import Convergence, Progress
from trackbed.curves.fit import FEWEST_EPOCHS, SOLVED, Finding, Fit, Reason, Verdict
from trackbed.curves.history import SCORES
from trackbed.reporting.formatting import NOT_AVAILABLE, listed, number, percent, plural

MOST_COLUMNS = 3
LITTLE = 1.05  # times; what is less is no "times as much"


def never_finite_text(analysis: Analysis) -> str:
    """The losses without a number in any epoch, in a sentence; '' where there are none."""
    found = [one for one in analysis.findings if one.because == Reason.NEVER_FINITE]
    if not found:
        return ""
    names = listed([one.column for one in found], MOST_COLUMNS)
    epochs = plural(analysis.epochs, "epoch")
    if all(one.numbers["infinite"] == one.numbers["epochs"] for one in found):
        return f"{names}: infinite in each of {epochs}."
    return f"{names}: not a number (NaN, or not logged) in any of {epochs}."


def verdicts_text(analysis: Analysis) -> str:
    """The verdicts in words, 'Over-fitting and unstable'; what is not converged is named."""
    named = [one.column for one in analysis.findings if one.verdict == Verdict.NOT_CONVERGED]
    words = [
        f"{verdict} ({listed(named, MOST_COLUMNS)})"
        if verdict == Verdict.NOT_CONVERGED
        else str(verdict)
        for verdict in analysis.verdicts
        if verdict != Verdict.NOT_FINITE
    ]
    if not words:
        return "No verdict"
    joined = ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
    return joined[0].upper() + joined[1:]


def findings_text(analysis: Analysis) -> list[str]:
    """Every finding, what matters most first; of a good fit how the validation loss ended."""
    sentences = [never_finite_text(analysis)] if never_finite_text(analysis) else []
    unfinished = 0
    for one in analysis.findings:
        unfinished += one.verdict == Verdict.NOT_CONVERGED
        if one.because == Reason.NEVER_FINITE or unfinished > MOST_COLUMNS:
            continue
        sentences.append(f"{one.verdict.capitalize()}: {_REASONS[one.because](one, analysis)}.")
    if analysis.fit and not analysis.findings:
        sentences.append(f"Good fit: {_good(analysis.fit)}.")
    return sentences


def no_verdict_text(analysis: Analysis) -> str:
    """What a comparison of training and validation lacks."""
    lacks = [
        name
        for part, name in (("train", "training loss"), ("validation", "validation loss"))
        if part not in analysis.parts
    ]
    why = f"the log has no {' and no '.join(lacks)} with a finite value"
    if not lacks and not analysis.comparable_epochs:
        why = "no loss of training and one of validation have the same name and a common epoch"
    elif not lacks:
        epochs, both = plural(analysis.epochs, "epoch"), ""
        if analysis.comparable_epochs < analysis.epochs:
            both = f", both losses in {analysis.comparable_epochs} of them"
        why = f"it needs {FEWEST_EPOCHS} epochs with both losses, the log has {epochs}{both}"
    return f"The losses of training and validation cannot be compared: {why}."


def convergence_text(analysis: Analysis) -> list[str]:
    """How fast the loss, the monitored value and the main score improved, range by range, and what
    has not converged; a table has the rest.
    """
    unfinished = {one.column for one in analysis.findings if one.verdict == Verdict.NOT_CONVERGED}
    listed = unfinished | {analysis.best.column if analysis.best else ""}
    lowers = {one.column for one in analysis.losses}
    whole = {column.name for column in analysis.columns if column.quantity == "loss"}
    scores = [one.column for one in analysis.convergence if one.column not in lowers]
    if scores and not listed & set(scores):
        listed |= {min(scores, key=rank)}
    return [
        _progress(one, one.column in unfinished)
        for one in analysis.convergence
        if one.column in listed or one.column in whole
    ]


def _progress(one: Convergence, unfinished: bool) -> str:
    text = f"{one.column}: {'not converged, ' if unfinished else ''}{_ends(one)}"
    if {part.word for part in one.ranges} == {Progress.CONVERGED}:
        return f"{text}."
    parts = ", ".join(f"{part.first}-{part.last} {part.word}" for part in one.ranges)
    if one.settled == one.ranges[0].first:
        return f"{text} (epochs {parts})."
    return f"{text} (epochs {parts}). 98 % of the improvement was reached at epoch {one.settled}."


def _ends(one: Convergence) -> str:
    if one.settled == one.ranges[0].first:
        return "never better than in its first epoch"
    if one.converged:
        return "converged"
    word = one.ranges[-1].word
    if word == Progress.CONVERGED:
        return "level at the end, after it had become worse"
    if word in (Progress.WORSE, Progress.NO_TREND):
        return f"{word} at the end"
    return f"{word} progress at the end"


def rank(column: str) -> tuple[int, int]:
    """The place of a column among those that a run may go by: the loss, then SCORES."""
    name = column.lower()
    words = [place for place, word in enumerate(("loss", *SCORES)) if word in name]
    return min(words, default=len(SCORES) + 1), len(name)


def _loss_rises(one: Finding, analysis: Analysis) -> str:
    fit = analysis.fit
    scores = f", with {fit.score} {_scores(fit)}" if fit and fit.score else ""
    return f"from epoch {one.epoch} on the validation loss rises, {_rise(one)}{scores}"


def _diverges(one: Finding, analysis: Analysis) -> str:
    return (
        f"from epoch {one.epoch} on the training loss itself rises, {_rise(one)}: a lower learning "
        "rate may help"
    )


def _rise(one: Finding) -> str:
    best, level = one.numbers["best"], one.numbers["level"]
    times = level / best if best > 0 else 0
    how = f", {times:.1f} times as much" if LITTLE <= times < 1000 else ""
    return f"from {number(best)} to {number(level)} (median of the last quarter{how})"


def _score_gap(one: Finding, analysis: Analysis) -> str:
    return (
        f"from epoch {one.epoch} on the gap in {one.column} persists: "
        f"{number(one.numbers['training'])} in training, {number(one.numbers['validation'])} in "
        "validation at the end"
    )


def _low_score(one: Finding, analysis: Analysis) -> str:
    return (
        f"training {one.column} ends at {number(one.numbers['training'])}, below {SOLVED:.2f}: the "
        "network does not fit the training images"
    )


def _nothing_learned(one: Finding, analysis: Analysis) -> str:
    first, best = one.numbers["first"], one.numbers["best"]
    if first == best:
        return f"the training loss never falls below its first value, {number(first)}"
    return f"the training loss never falls by more than 1 % of its first value, {number(first)}"


def _still_improving(one: Finding, analysis: Analysis) -> str:
    numbers = one.numbers
    falls = numbers["sign"] > 0
    ends = sorted((abs(numbers["low"]), abs(numbers["high"])))
    return (
        f"{one.column} still {'falls' if falls else 'rises'} at the end, from epoch {one.epoch} on "
        f"by {number(abs(numbers['slope']))} per epoch (95 % interval {number(ends[0])} to "
        f"{number(ends[1])})"
    )


def _scatter(one: Finding, analysis: Analysis) -> str:
    return (
        f"in the second half the validation loss swings by {number(one.numbers['swing'])} from "
        f"epoch to epoch (standard deviation), {percent(one.numbers['share'])} of its whole fall"
    )


def _breaks_off(one: Finding, analysis: Analysis) -> str:
    return f"{one.column} is not a finite number from epoch {one.epoch} on"


def _sometimes(one: Finding, analysis: Analysis) -> str:
    times, epochs = one.numbers["times"], plural(one.numbers["epochs"], "epoch")
    return f"{one.column} is not a finite number in {times:.0f} of {epochs}"


def _no_progress(one: Finding, analysis: Analysis) -> str:
    gain, fall = one.numbers["gain"], one.numbers["fall"]
    better = f"by {number(gain)} only" if gain > 0 else "not at all"
    return (
        f"the training loss falls by {number(fall)}, the validation loss {better}; at the end it "
        f"is {number(one.numbers['gap'])} higher"
    )


def _good(fit: Fit) -> str:
    ends = f"the validation loss ends at {number(fit.last_loss)}, best {number(fit.best_loss)}"
    return f"{ends}, and does not rise" + (f" ({fit.score} {_scores(fit)})" if fit.score else "")


def _scores(fit: Fit) -> str:
    if fit.training_score is None or fit.validation_score is None:
        return NOT_AVAILABLE
    return f"{number(fit.training_score)} in training, {number(fit.validation_score)} in validation"


_REASONS: dict[Reason, Callable[[Finding, Analysis], str]] = {
    Reason.LOSS_RISES: _loss_rises,
    Reason.DIVERGES: _diverges,
    Reason.SCORE_GAP: _score_gap,
    Reason.LOW_SCORE: _low_score,
    Reason.NOTHING_LEARNED: _nothing_learned,
    Reason.STILL_IMPROVING: _still_improving,
    Reason.SCATTER: _scatter,
    Reason.BREAKS_OFF: _breaks_off,
    Reason.SOMETIMES: _sometimes,
    Reason.NO_PROGRESS: _no_progress,
}
