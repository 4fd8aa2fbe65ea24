"""Whether a run under-fits, over-fits, fits well, has not converged, or is unstable."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trackbed.curves import loss_measures
from trackbed.curves.anomalies import unit
from trackbed.curves.history import History, ScorePair, Trend, score_pair
from trackbed.curves.loss_measures import Gap, Losses, end, second_half

FEWEST_EPOCHS = 10
# Conventions, stated in docs/curves.md; shares of a fall go by what the loss gained in the run.
SOLVED = 0.70  # training score below which the training images themselves are not learned
LEARNED = 0.01  # of the first training loss
STAYS, FAR = 0.10, 0.25  # of the fall of the training loss
GAP = 0.10  # training score above the validation score
UNSTABLE = 0.15  # swing of the validation loss in the second half, of the fall
MOST_SERIES = 12  # of a score per class some would rise by chance
OFTEN = 0.10  # of the epochs
UNFINISHED = 0.05  # what a quarter of the epochs still gains at the end, of the unit of the series


class Verdict(StrEnum):
    """What a run is called."""

    GOOD_FIT = "good fit"
    OVER_FITTING = "over-fitting"
    UNDER_FITTING = "under-fitting"
    NOT_CONVERGED = "not converged"
    UNSTABLE = "unstable"
    NOT_FINITE = "not finite"


class Reason(StrEnum):
    """The rule that gave a verdict."""

    NO_RISE = "validation does not rise"
    LOSS_RISES = "validation loss rises"
    SCORE_GAP = "score gap"
    LOW_SCORE = "training score"
    NOTHING_LEARNED = "training loss did not fall"
    STILL_IMPROVING = "still improving"
    SCATTER = "scatter"
    DIVERGES = "training loss rises"
    BREAKS_OFF = "loss not finite at the end"
    SOMETIMES = "loss not finite at times"
    NEVER_FINITE = "loss never finite"
    NO_PROGRESS = "validation loss stays"


VERDICTS = {
    Reason.NEVER_FINITE: Verdict.NOT_FINITE,
    Reason.LOSS_RISES: Verdict.OVER_FITTING,
    Reason.SCORE_GAP: Verdict.OVER_FITTING,
    Reason.NO_PROGRESS: Verdict.OVER_FITTING,
    Reason.LOW_SCORE: Verdict.UNDER_FITTING,
    Reason.NOTHING_LEARNED: Verdict.UNDER_FITTING,
    Reason.STILL_IMPROVING: Verdict.NOT_CONVERGED,
}  # all others: UNSTABLE


@dataclass(frozen=True)
class Finding:
    """A verdict, its rule, the series it is about, and the epoch from which it holds, if any.

    numbers: what carries it, by name.
    """

    verdict: Verdict
    because: Reason
    column: str
    epoch: int | None
    numbers: dict[str, float]


@dataclass(frozen=True)
class Fit:
    """Training against validation, and the verdict: the first of the findings.

    onset: the epoch from which validation got worse (its best) or the gap of the scores stayed.
    rise: of the validation loss from its best to the median of the last quarter after it;
    rise_share: of its fall. growth: of the gap of the losses per epoch, from the onset on or else
    over the second half. tail: trend of the validation loss in the last quarter. Scores are means
    of the last quarter.
    """

    verdict: Verdict
    because: Reason
    losses: str
    best_epoch: int
    best_loss: float
    last_loss: float
    onset: int | None
    rises: bool
    rise: float
    rise_share: float
    gap: Gap
    growth: Trend | None
    tail: Trend | None
    scatter_share: float
    score: str | None
    training_score: float | None
    validation_score: float | None


def fit(history: History) -> Fit | None:
    """None where there are no training and validation losses of FEWEST_EPOCHS epochs."""
    found = loss_measures.losses(history)
    pair = found.pair if found else None
    if found is None or pair is None or len(pair.validation) < FEWEST_EPOCHS:
        return None
    scores, values = score_pair(history), pair.validation
    every = findings(history)
    rise = loss_measures.rise(values, found.fall)
    onsets = {one.because: one.epoch for one in every}
    onset = rise.epoch if rise.rises else onsets.get(Reason.SCORE_GAP)
    return Fit(
        verdict=every[0].verdict if every else Verdict.GOOD_FIT,
        because=every[0].because if every else Reason.NO_RISE,
        losses=pair.name,
        best_epoch=rise.epoch,
        best_loss=float(values.min()),
        last_loss=float(values.iloc[-1]),
        onset=onset,
        rises=rise.rises,
        rise=rise.size,
        rise_share=rise.share,
        gap=loss_measures.gap(pair),
        growth=loss_measures.growth(pair, onset),
        tail=loss_measures.tail(values),
        scatter_share=loss_measures.swing(second_half(values)) / found.fall,
        score=scores.name if scores else None,
        training_score=end(scores.train) if scores else None,
        validation_score=end(scores.validation) if scores else None,
    )


def findings(history: History) -> tuple[Finding, ...]:
    """All that holds, what matters most first; a loss that is not finite in any number of epochs.

    Empty means a good fit only where training and validation have a loss, see `fit`.
    """
    broken, scores, found = _not_finite(history), score_pair(history), loss_measures.losses(history)
    if found is None or found.epochs < FEWEST_EPOCHS:
        unfinished = _unfinished(history, None)
        low = _low_score(scores) if scores and not broken and not unfinished else []
        return (*broken, *low, *unfinished, *(_score_gap(scores) if scores else []))
    diverges = _rises(found, "train")
    unfinished = _unfinished(history, found)
    ends = [*broken, *diverges, *_nothing_learned(found)]
    rises = [] if diverges else _rises(found, "validation") or _no_progress(found)
    gap = _score_gap(scores) if scores and not rises else []
    low = _low_score(scores) if scores and not unfinished and not ends else []
    return (*ends, *low, *rises, *unfinished, *gap, *_swings(found))


def _finding(why: Reason, column: str, epoch: int | None, **numbers: float) -> Finding:
    verdict = VERDICTS.get(why, Verdict.UNSTABLE)
    return Finding(verdict, why, column, epoch, {name: float(one) for name, one in numbers.items()})


def _not_finite(history: History) -> list[Finding]:
    """Losses that are never finite, not finite at the end, or often not finite."""
    found = []
    for column in history.columns:
        if column.role != "loss" or column.part == "test":
            continue
        values = history.table[column.name]
        epochs = loss_measures.breaks(values)
        end_from = loss_measures.first_of_last(epochs, values.index)
        counts = {"infinite": np.isinf(values).sum(), "times": len(epochs), "epochs": len(values)}
        if len(epochs) == len(values):
            found.append(_finding(Reason.NEVER_FINITE, column.name, None, **counts))
        elif end_from is not None:
            found.append(_finding(Reason.BREAKS_OFF, column.name, end_from, **counts))
        elif len(epochs) >= OFTEN * len(values):
            found.append(_finding(Reason.SOMETIMES, column.name, epochs[0], **counts))
    return sorted(found, key=lambda one: one.because != Reason.NEVER_FINITE)


def _rises(found: Losses, part: str) -> list[Finding]:
    """A training loss that rises after its best diverges, and that is no over-fitting."""
    values = found.train if part == "train" else found.validation
    if values is None or not (rise := loss_measures.rise(values, found.fall)).rises:
        return []
    why = Reason.DIVERGES if part == "train" else Reason.LOSS_RISES
    best = float(values.min())
    return [_finding(why, found.columns[part], rise.epoch, best=best, level=best + rise.size)]


def _no_progress(found: Losses) -> list[Finding]:
    """A validation loss that stays while the training loss falls far below it."""
    if found.train is None or found.validation is None:
        return []
    fall = float(found.train.iloc[0] - found.train.min())
    gain = float(found.validation.iloc[0] - found.validation.min())
    gap = end(found.validation) - end(found.train)
    if fall <= 0 or gain > STAYS * fall or gap < FAR * fall:
        return []
    name = found.columns["validation"]
    return [_finding(Reason.NO_PROGRESS, name, None, gain=gain, fall=fall, gap=gap)]


def _nothing_learned(found: Losses) -> list[Finding]:
    if found.train is None:
        return []
    first, best = float(found.train.iloc[0]), float(found.train.min())
    constant = found.train.nunique() == 1
    if not constant and (first <= 0 or first - best > LEARNED * first):
        return []
    return [_finding(Reason.NOTHING_LEARNED, found.columns["train"], None, first=first, best=best)]


def _unfinished(history: History, found: Losses | None) -> list[Finding]:
    """The losses and scores of validation (else of training) that still improve at the end."""
    series, names = [], {}
    if found:
        part = "train" if found.validation is None else "validation"
        values, names = getattr(found, part), found.columns
        series.append((names[part], values, 1, found.fall))
    lower, higher = (
        history.of(role, "validation") or history.of(role, "train") for role in ("loss", "metric")
    )
    added = {name for one in names.values() for name in one.split(" + ")}
    for column in [one for one in lower + higher if one.name not in added][:MOST_SERIES]:
        values = history.finite(column.name)
        # The first value may be a lucky one; then most of the range is below it.
        size = max(abs(unit(history, column)), float(np.ptp(values.quantile([0.1, 0.9]))))
        series.append((column.name, values, column.sign, size))
    return [
        _finding(Reason.STILL_IMPROVING, name, line.first, sign=sign, **vars(line))
        for name, values, sign, size in series
        if len(values) >= FEWEST_EPOCHS
        and (line := loss_measures.tail(values))
        and loss_measures.gain_per_quarter(line, values, sign) >= UNFINISHED * size
    ]


def _low_score(scores: ScorePair) -> list[Finding]:
    low = (training := end(scores.train)) < SOLVED and len(scores.train) >= FEWEST_EPOCHS
    return [_finding(Reason.LOW_SCORE, scores.name, None, training=training)] if low else []


def _score_gap(scores: ScorePair) -> list[Finding]:
    training, validation = end(scores.train), end(scores.validation)
    if len(scores.train) < FEWEST_EPOCHS or not training - validation >= GAP:
        return []
    ends = {"training": training, "validation": validation}
    return [_finding(Reason.SCORE_GAP, scores.name, loss_measures.gap_onset(scores, GAP), **ends)]


def _swings(found: Losses) -> list[Finding]:
    if found.validation is None:
        return []
    swing, name = loss_measures.swing(second_half(found.validation)), found.columns["validation"]
    if not swing > UNSTABLE * found.fall:
        return []
    return [_finding(Reason.SCATTER, name, None, share=swing / found.fall, swing=swing)]
