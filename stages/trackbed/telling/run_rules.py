"""What to do about a run as a whole, by rules from its numbers."""

from collections.abc import Mapping
from typing import Any

from trackbed.history.analysis import Analysis
from trackbed.telling import wording
from trackbed.telling.class_rules import Advice
from trackbed.telling.dataset import Reason

WIDE = 0.08  # of the interval of macro F1
GAP = 0.05  # of macro F1 between validation and test part
MISJUDGED = 0.05  # mean confidence less accuracy
REJECTED = 0.01  # of the files seen
WAITING = 0.2  # of the training time
OVERFIT = 0.05  # of the score between training and validation

Scores = Mapping[str, Any]


def wide_interval(scores: Scores, groups: int) -> list[Advice]:
    """An interval of macro F1 wider than WIDE tells few settings apart."""
    low, high = scores.get("macro_f1_low"), scores.get("macro_f1_high")
    if low is None or high is None or high - low <= WIDE:
        return []
    return [
        Advice(
            f"The interval of macro F1 is {wording.share(high - low)} wide: "
            f"{wording.plural(scores.get('images') or 0, 'test image')} in "
            f"{wording.plural(groups, 'group')} do not tell apart what differs by less. Test on "
            "more groups, or compare settings by cross-validation (-S train.fold=0,1,…).",
            "scores",
        )
    ]


def validation_gap(training: Scores, scores: Scores) -> list[Advice]:
    """A validation macro F1 above that of the test part by more than GAP and its interval."""
    promised = (training.get("best") or {}).get("val_macro_f1")
    reached, high = scores.get("macro_f1"), scores.get("macro_f1_high")
    if promised is None or reached is None:
        return []
    if promised - reached <= GAP or promised <= (high or 0):
        return []
    return [
        Advice(
            f"Validation macro F1 was {wording.share(promised)}, on the test part it is "
            f"{wording.share(reached)}: either the test images are of another kind, or images of "
            "one object stand in several folds (data.group).",
            "data",
        )
    ]


def unfinished(training: Scores, analysis: Analysis | None) -> list[Advice]:
    """Not stopped early, and the last epoch is the best or the validation loss still falls."""
    epochs = training.get("epochs")
    if not epochs or training.get("stopped_early"):
        return []
    if training.get("best_epoch") == epochs:
        why = f"The last epoch, {epochs}, is the best"
    elif analysis and analysis.fit and analysis.fit.verdict == "not converged":
        why = f"The validation loss still fell in the last quarter of {epochs} epochs"
    else:
        return []
    return [Advice(f"{why}: try more of them (train.epochs).", "training")]


def overfitting(analysis: Analysis | None, train: Scores) -> list[Advice]:
    """Training scores higher than validation by more than OVERFIT where the fit is over-fitting."""
    fit = analysis.fit if analysis else None
    if fit is None or fit.training_score is None or fit.validation_score is None:
        return []
    gap = fit.training_score - fit.validation_score
    if fit.verdict != "over-fitting" or gap <= OVERFIT:
        return []
    return [
        Advice(
            f"Training {fit.score} ends at {wording.share(fit.training_score)}, validation at "
            f"{wording.share(fit.validation_score)}: more images, more of train.augment, or a "
            f"higher train.dropout ({train.get('dropout', 'n/a')} now).",
            "training",
        )
    ]


def misjudged(scores: Scores, train: Scores) -> list[Advice]:
    """A mean confidence that differs from the accuracy by more than MISJUDGED."""
    over = scores.get("overconfidence")
    if over is None or abs(over) <= MISJUDGED:
        return []
    smoothing = train.get("label_smoothing", "0")
    now = f"train.label_smoothing is {smoothing}"
    accuracy = wording.share(scores.get("accuracy"))
    mean = wording.share(scores.get("accuracy", 0) + over)
    hint = f"raise it if probabilities matter ({now})"
    if over < 0:
        hint = "a threshold on probabilities must be set on data"
        hint += f"; {now} and lowers them" if smoothing.strip("0.") else ""
    return [
        Advice(f"The mean confidence is {mean}, the accuracy {accuracy}: {hint}.", "confidence")
    ]


def rejects(files: Scores, reasons: list[Reason]) -> list[Advice]:
    """More than REJECTED of the files did not get in."""
    seen, rejected = files.get("seen") or 0, files.get("rejected") or 0
    if not reasons or rejected <= REJECTED * seen:
        return []
    first = reasons[0]
    return [
        Advice(
            f"{rejected:,} of {wording.plural(seen, 'file')} were rejected, {first.images:,} as "
            f"“{wording.name(first.reason)}”: mend them or take them out of the source.",
            "rejects",
        )
    ]


def waiting(training: Scores) -> list[Advice]:
    """More than WAITING of the training time went by without a batch."""
    share = training.get("waiting_share")
    if share is None or share <= WAITING:
        return []
    return [
        Advice(
            f"Training waited {wording.percent(share)} of its time for images: smaller source "
            "pictures or more processor cores make it faster.",
            "training",
        )
    ]
