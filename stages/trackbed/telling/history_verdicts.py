"""Best epoch and fit of a training history in sentences."""

from trackbed.history.analysis import Analysis
from trackbed.history.best import Best, Stop
from trackbed.history.fit import FEWEST_EPOCHS, SOLVED, Fit
from trackbed.telling.history_numbers import number, ranges
from trackbed.telling.wording import percent, plural

MOST_OTHERS = 8


def best(analysis: Analysis) -> list[str]:
    """Which epoch was best and by what, and whether the run was stopped early."""
    best = analysis.best
    if best is None:
        return []
    what = "lowest" if best.lower_is_better else "highest"
    said = [f"Epoch {best.epoch} by {best.column}: {number(best.value)}, the {what}."]
    there = [f"{name} {number(value)}" for name, value in best.others.items()]
    if there:
        said.append(f"There: {_listed(there)}.")
    if len(best.tied) > 1:
        said.append(f"Epochs {ranges(best.tied)} have the same value; the first counts.")
    said.append(f"Better than all before: epochs {ranges(best.so_far)}.")
    if best.epochs_since:
        said.append(
            f"{plural(best.epochs_since, 'epoch')} followed; the last value is "
            f"{number(best.last)}, worse by {number(best.worse_by)}."
        )
    said.append(_stop(best, best.stop))
    rest = [f"{one.column} {number(one.value)} ({one.epoch})" for one in analysis.others]
    if rest:
        said.append(f"Best of the others (epoch): {_listed(rest)}.")
    return said


def fit(analysis: Analysis) -> list[str]:
    """The verdict, its reason, and the gap between training and validation."""
    fit = analysis.fit
    if fit is None:
        return [f"No verdict: it takes training and validation losses of {FEWEST_EPOCHS} epochs."]
    said = [f"{fit.verdict.capitalize()}: {_reason(fit)}."]
    if fit.verdict == "under-fitting" and fit.rises:
        said.append(f"Besides, {_rise(fit)}.")
    gap = fit.gap
    said.append(
        f"Generalisation gap (validation minus training, {fit.losses}): {number(gap.first)} at "
        f"first, {number(gap.best)} at epoch {fit.best_epoch}, {number(gap.last)} in the last "
        f"quarter."
    )
    if fit.growth and fit.growth.direction:
        moves = "grows" if fit.growth.direction > 0 else "shrinks"
        said.append(
            f"It {moves} by {number(abs(fit.growth.slope))} per epoch from epoch "
            f"{fit.growth.first} on (95 % interval of the change {number(fit.growth.low)} to "
            f"{number(fit.growth.high)})."
        )
    return said


def _listed(parts: list[str]) -> str:
    more = f" and {len(parts) - MOST_OTHERS} more" if len(parts) > MOST_OTHERS else ""
    return ", ".join(parts[:MOST_OTHERS]) + more


def _stop(best: Best, stop: Stop) -> str:
    since = plural(best.epochs_since, "epoch")
    if stop.because == "recorded":
        if stop.verdict == "yes":
            return f"The log says that it was stopped early, {since} after its best."
        return "The log says that it was not stopped early."
    if stop.because == "would have stopped before":
        return (
            f"Patience {stop.patience} would have ended it before: it once waited "
            f"{best.longest_wait} epochs for a better value."
        )
    if stop.because == "patience given":
        ended = "ended it" if stop.verdict == "yes" else "did not end it"
        return f"Early stopping with patience {stop.patience} {ended}: {since} since its best."
    if stop.verdict == "no" and not best.epochs_since:
        return "It was not stopped early: its best epoch is its last."
    if stop.verdict == "no":
        return (
            f"It was not stopped early: it ends {since} after its best, and lived through a wait "
            f"of {best.longest_wait} before."
        )
    if stop.verdict == "likely":
        return (
            f"Probably stopped early after epoch {best.last_epoch}, with patience {stop.patience}: "
            f"its longest wait for a better value before was {best.longest_wait} epochs."
        )
    where = " and on a round number of epochs" if stop.because.endswith("of epochs") else ""
    return (
        f"It ends {since} after its best{where}: its planned end, or early stopping with patience "
        f"{stop.patience}."
    )


def _reason(fit: Fit) -> str:
    scores = (
        f"{number(fit.training_score)} in training, {number(fit.validation_score)} in validation"
    )
    if fit.because == "validation loss rises":
        return _rise(fit) + (f", with {fit.score} {scores}" if fit.score else "")
    if fit.because == "score gap":
        return f"from epoch {fit.onset} on the gap of {fit.score} stays; it ends at {scores}"
    if fit.because == "training score":
        return (
            f"training {fit.score} ends at {number(fit.training_score)}, below {SOLVED:.2f}: the "
            f"training images themselves are not learned"
        )
    if fit.because == "training loss did not fall":
        return "the training loss never fell by 1 % of its first value: nothing was learned"
    if fit.because == "still falling" and fit.tail:
        return (
            f"the validation loss still falls in the last quarter, by {number(-fit.tail.slope)} "
            f"per epoch (95 % interval {number(-fit.tail.high)} to {number(-fit.tail.low)})"
        )
    if fit.because == "scatter":
        return (
            f"in the second half the validation loss scatters by {percent(fit.scatter_share)} of "
            f"all that was gained"
        )
    if fit.because == "training loss not finite":
        return "the training loss of the last epoch is no finite number"
    ends = f"the validation loss ends at {number(fit.last_loss)}, best {number(fit.best_loss)}"
    return f"{ends}, and does not rise" + (f" ({fit.score} {scores})" if fit.score else "")


def _rise(fit: Fit) -> str:
    times = f", {fit.last_loss / fit.best_loss:.1f} times as much" if fit.best_loss > 0 else ""
    return (
        f"from epoch {fit.best_epoch} on the validation loss rises, from {number(fit.best_loss)} "
        f"to {number(fit.last_loss)}{times}"
    )
