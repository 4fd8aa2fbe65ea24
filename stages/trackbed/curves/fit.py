"""Whether a run under-fits, over-fits, fits well, has not converged, or is unstable."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from trackbed.curves.history import (
    History,
    LossPair,
    ScorePair,
    Trend,
    loss_pair,
    scatter,
    score_pair,
    trend,
)

FEWEST_EPOCHS = 10
# Conventions, stated in docs/curves.md; shares of a fall go by what the loss gained in the run.
SOLVED = 0.70  # training score below which the training images themselves are not learned
LEARNED = 0.01  # of the first training loss
RISE = 0.10  # of the fall of the validation loss
GAP = 0.10  # training score above the validation score
UNSTABLE = 0.15  # scatter of the validation loss in the second half, of the fall
UNFINISHED = 0.05  # what the last quarter still gains, of the fall


class Verdict(StrEnum):
    """What a run is called."""

    GOOD_FIT = "good fit"
    OVER_FITTING = "over-fitting"
    UNDER_FITTING = "under-fitting"
    NOT_CONVERGED = "not converged"
    UNSTABLE = "unstable"


class Reason(StrEnum):
    """The rule that gave the verdict."""

    NO_RISE = "validation does not rise"
    LOSS_RISES = "validation loss rises"
    SCORE_GAP = "score gap"
    LOW_SCORE = "training score"
    NOTHING_LEARNED = "training loss did not fall"
    STILL_FALLING = "still falling"
    SCATTER = "scatter"
    NOT_FINITE = "training loss not finite"


@dataclass(frozen=True)
class Gap:
    """Validation minus training loss at an epoch (`last`: mean of the last quarter)."""

    first: float
    best: float
    last: float


@dataclass(frozen=True)
class Fit:
    """The verdict and what carries it.

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
    pair = loss_pair(history)
    if pair is None or len(pair.validation) < FEWEST_EPOCHS:
        return None
    scores = score_pair(history)
    best_epoch = int(pair.validation.idxmin())
    growth_after = best_epoch
    rising, rise, share = _rise(pair)
    measured = {
        "tail": trend(pair.validation[_last_quarter(pair.validation)]),
        "scatter_share": scatter(_second_half(pair.validation)) / _fall(pair),
        "training_score": _end(scores.train) if scores else None,
        "validation_score": _end(scores.validation) if scores else None,
    }
    verdict, because = _verdict(history, pair, rising, measured)
    onset = None
    if because == Reason.LOSS_RISES or (verdict == Verdict.UNDER_FITTING and rising):
        onset = best_epoch
    elif because == Reason.SCORE_GAP and scores:
        onset = growth_after = _gap_from(scores)
    return Fit(
        verdict=verdict,
        because=because,
        losses=pair.name,
        best_epoch=best_epoch,
        best_loss=float(pair.validation.min()),
        last_loss=float(pair.validation.iloc[-1]),
        onset=onset,
        rises=rising,
        rise=rise,
        rise_share=share,
        gap=_gap(pair),
        growth=trend(_gaps_after(pair, growth_after if onset else None)),
        score=scores.name if scores else None,
        **measured,
    )


def _verdict(
    history: History, pair: LossPair, rising: bool, measured: dict[str, float | Trend | None]
) -> tuple[Verdict, Reason]:
    """By the first of the rules that holds."""
    training, validation = measured["training_score"], measured["validation_score"]
    if _diverged(history):
        return Verdict.UNSTABLE, Reason.NOT_FINITE
    if measured["scatter_share"] > UNSTABLE:
        return Verdict.UNSTABLE, Reason.SCATTER
    if _unfinished(pair, measured["tail"]):
        return Verdict.NOT_CONVERGED, Reason.STILL_FALLING
    if _learned_nothing(pair.train):
        return Verdict.UNDER_FITTING, Reason.NOTHING_LEARNED
    if training is not None and training < SOLVED:
        return Verdict.UNDER_FITTING, Reason.LOW_SCORE
    if rising:
        return Verdict.OVER_FITTING, Reason.LOSS_RISES
    if training is not None and training - validation >= GAP:
        return Verdict.OVER_FITTING, Reason.SCORE_GAP
    return Verdict.GOOD_FIT, Reason.NO_RISE


def _diverged(history: History) -> bool:
    """Whether no training loss of the last epoch is a finite number."""
    names = [column.name for column in history.of("loss", "train")]
    return not np.isfinite(history.table[names].iloc[-1]).any()


def _learned_nothing(losses: pd.Series) -> bool:
    first = losses.iloc[0]
    return bool(first > 0 and first - losses.min() <= LEARNED * first)


def _rise(pair: LossPair) -> tuple[bool, float, float]:
    """Whether the validation loss rises after its best epoch, by how much, and of its fall.

    The trend leaves the best epoch out: it was picked for being low. Where the best is the first
    epoch there was no fall, and the training loss says how large one is.
    """
    values = pair.validation
    best = values.min()
    after = values[values.index > values.idxmin()]
    if not len(after):
        return False, 0.0, 0.0
    fall = values.iloc[0] - best or _fall(pair)
    rise = float(after[_last_quarter(after)].median() - best)
    line = trend(after)
    rising = line is not None and line.direction > 0 and bool(rise / fall >= RISE)
    return rising, rise, float(rise / fall)


def _fall(pair: LossPair) -> float:
    """From the larger first loss to the best validation loss: the run's own unit of loss."""
    first = max(pair.train.iloc[0], pair.validation.iloc[0])
    return float(first - pair.validation.min()) or abs(float(first)) or 1.0


def _unfinished(pair: LossPair, tail: Trend | None) -> bool:
    if tail is None or tail.direction >= 0:
        return False
    return -tail.slope * (tail.last - tail.first) >= UNFINISHED * _fall(pair)


def _gap_from(scores: ScorePair) -> int:
    """The first epoch from which on the training score stays GAP above the other."""
    closed = (scores.train - scores.validation).dropna() < GAP
    after = closed.index[closed][-1] if closed.any() else closed.index[0] - 1
    return int(min(after + 1, closed.index[-1]))


def _gap(pair: LossPair) -> Gap:
    gaps = pair.validation - pair.train
    return Gap(float(gaps.iloc[0]), float(gaps[pair.validation.idxmin()]), _end(gaps))


def _gaps_after(pair: LossPair, onset: int | None) -> pd.Series:
    gaps = pair.validation - pair.train
    return gaps[gaps.index >= onset] if onset else _second_half(gaps)


def _second_half(values: pd.Series) -> pd.Series:
    return values.iloc[len(values) // 2 :]


def _last_quarter(values: pd.Series) -> pd.Index:
    return values.index[-max(1, len(values) // 4) :]


def _end(values: pd.Series) -> float:
    return float(values[_last_quarter(values)].mean())
