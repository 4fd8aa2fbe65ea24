"""What to do next: rules from the numbers of a run, in order of weight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trackbed.curves.analysis import Analysis
from trackbed.curves.fit import Verdict
from trackbed.evaluation.predictions import wrong
from trackbed.reporting import evaluation_tables, formatting
from trackbed.reporting.dataset_summary import Reason
from trackbed.reporting.evaluation_tables import Confusion
from trackbed.reporting.run import Run

FEWEST_CONFUSED = 3  # images
CONFUSED_SHARE = 0.1  # of the images of the true class or of the calls of the other
MOST_PAIRS = 3
FEW_OF_MEDIAN = 0.5  # training images of a class against the median class
BELOW_MACRO = 0.05  # of its F1 below macro F1
FEW_TEST_IMAGES = 10
SURE = 0.95  # confidence
LISTED = 3


@dataclass(frozen=True)
class Advice:
    """What to do, the numbers that say so, and the anchor in the page where to look."""

    text: str
    target: str

    @property
    def invitation(self) -> str:
        """The words of the link to the target."""
        pictures = self.target == "mistakes" or self.target.startswith("pair-")
        return "Look at these pictures." if pictures else "See there."


def confused(matrix: pd.DataFrame, classes: pd.DataFrame) -> list[Advice]:
    """Up to MOST_PAIRS pairs whose confusions cost a class CONFUSED_SHARE or more.

    matrix: counts of images, rows the true and columns the predicted class; classes: columns
    recall and precision. A pair that is confused in both directions is named once.
    """
    confusions = evaluation_tables.confusions(matrix, evaluation_tables.LISTED_CONFUSIONS)
    calls = matrix.sum(axis=0)
    counts = {(one.true, one.predicted): one.images for one in confusions}
    named: set[frozenset[str]] = set()
    found = []
    for place, one in enumerate(confusions):
        share = max(one.images / one.support, one.images / calls[one.predicted])
        pair = frozenset((one.true, one.predicted))
        if one.images < FEWEST_CONFUSED or share < CONFUSED_SHARE or pair in named:
            continue
        named.add(pair)
        back = counts.get((one.predicted, one.true), 0)
        target = evaluation_tables.pair_anchor(place)
        found.append(Advice(_pair(one, classes, int(calls[one.predicted]), back), target))
    return found[:MOST_PAIRS]


def scarce(
    counts: pd.DataFrame, classes: pd.DataFrame, macro_f1: float | None, train: Mapping[str, Any]
) -> list[Advice]:
    """Classes with few training images and a low F1: collect more, or weigh them more.

    counts: images per class, column train; train: section of params.yaml, scalars as text.
    """
    median = counts["train"].median()
    low = classes["f1"] < (macro_f1 or 0) - BELOW_MACRO
    few = counts["train"] < FEW_OF_MEDIAN * median
    tried = [key for key in ("class_weights", "balanced_sampling") if train.get(key) == "true"]
    other = f"; {tried[0]} is on" if tried else ", or try train.class_weights"
    return [
        Advice(
            f"{_name(name)}: {formatting.plural(counts.at[name, 'train'], 'training image')}, the "
            f"median class has {formatting.count(median)}, and F1 {formatting.share(f1)} against a "
            f"macro F1 of {formatting.share(macro_f1)}: collect more of it{other}.",
            "balance",
        )
        for name, f1 in classes["f1"][low & few].sort_values(kind="stable").head(LISTED).items()
    ]


def untested(classes: pd.DataFrame) -> list[Advice]:
    """Classes with no or fewer than FEW_TEST_IMAGES test images: their scores say little."""
    found = []
    support = classes["support"]
    if none := [_name(name) for name in support.index[support == 0]]:
        found.append(Advice(f"Add test images of {_listed(none)}: there are none.", "data"))
    few = support[(support > 0) & (support < FEW_TEST_IMAGES)]
    if len(few):
        names = [f"{_name(name)} ({images})" for name, images in few.items()]
        found.append(
            Advice(
                f"Add test images of {_listed(names)}: with {int(few.min())}, one image more or "
                f"less moves a recall by {formatting.share(1 / few.min(), 2)}.",
                "data",
            )
        )
    return found


def sure_mistakes(mistakes: pd.DataFrame) -> list[Advice]:
    """Mistakes with a confidence of SURE or more: wrong labels are found there first.

    mistakes: columns filename, true, predicted, confidence; the surest first.
    """
    sure = mistakes[mistakes["confidence"] >= SURE]
    if sure.empty:
        return []
    names = [formatting.name(name, 60) for name in sure["filename"]]
    return [
        Advice(
            f"Check the labels of {formatting.plural(len(sure), 'mistake')} of {len(mistakes):,} "
            f"with a confidence of at least {SURE}: {_listed(names)}.",
            "mistakes",
        )
    ]


def _pair(one: Confusion, classes: pd.DataFrame, calls: int, back: int) -> str:
    of_calls = one.images / calls > one.images / one.support
    subject, other = (one.predicted, one.true) if of_calls else (one.true, one.predicted)
    recall, precision = (
        formatting.share(classes.at[subject, m], 2) for m in ("recall", "precision")
    )
    what = (
        f"{one.images:,} of its {formatting.plural(calls, 'call')} are {_name(other)}"
        if of_calls
        else f"{one.images:,} of its {formatting.plural(one.support, 'image')} are called "
        f"{_name(other)}"
    )
    both = (
        f" The other way round it happens {back} times: the two look alike to the network, or "
        "their labels are mixed up."
        if back >= FEWEST_CONFUSED
        else ""
    )
    return f"{_name(subject)}: recall {recall}, precision {precision}; {what}.{both}"


def _name(name: str) -> str:
    return f"“{formatting.name(name, 60)}”"


def _listed(names: list[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")


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
            f"The interval of macro F1 is {formatting.share(high - low)} wide: "
            f"{formatting.plural(scores.get('images') or 0, 'test image')} in "
            f"{formatting.plural(groups, 'group')} do not tell apart what differs by less. Test on "
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
            f"Validation macro F1 was {formatting.share(promised)}, on the test part it is "
            f"{formatting.share(reached)}: either the test images are of another kind, or images "
            "of one object stand in several folds (data.group).",
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
    elif analysis and analysis.fit and analysis.fit.verdict == Verdict.NOT_CONVERGED:
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
    if fit.verdict != Verdict.OVER_FITTING or gap <= OVERFIT:
        return []
    return [
        Advice(
            f"Training {fit.score} ends at {formatting.share(fit.training_score)}, validation at "
            f"{formatting.share(fit.validation_score)}: more images, more of train.augment, or a "
            f"higher train.dropout ({train.get('dropout', 'n/a')} now).",
            "training",
        )
    ]


def misclassified_training(scores: Scores, train: Scores) -> list[Advice]:
    """A mean confidence that differs from the accuracy by more than MISJUDGED."""
    over = scores.get("overconfidence")
    if over is None or abs(over) <= MISJUDGED:
        return []
    smoothing = train.get("label_smoothing", "0")
    now = f"train.label_smoothing is {smoothing}"
    accuracy = formatting.share(scores.get("accuracy"))
    mean = formatting.share(scores.get("accuracy", 0) + over)
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
            f"{rejected:,} of {formatting.plural(seen, 'file')} were rejected, {first.images:,} as "
            f"“{formatting.name(first.reason)}”: mend them or take them out of the source.",
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
            f"Training waited {formatting.percent(share)} of its time for images: smaller source "
            "pictures or more processor cores make it faster.",
            "training",
        )
    ]


def advice(run: Run) -> list[Advice]:
    """All that the numbers of a run call for, the most important first."""
    evaluation, training, params = run.evaluation, run.training, run.params.get("train", {})
    scores, classes = evaluation.scores, evaluation.classes
    return [
        *untested(classes),
        *confused(evaluation.confusion, classes),
        *scarce(run.data.counts, classes, scores.get("macro_f1"), params),
        *sure_mistakes(wrong(evaluation.predictions)),
        *validation_gap(training.summary, scores),
        *overfitting(training.analysis, params),
        *unfinished(training.summary, training.analysis),
        *wide_interval(scores, evaluation.predictions["group"].nunique()),
        *misclassified_training(scores, params),
        *rejects(run.data.files, run.data.reasons),
        *waiting(training.summary),
    ]
