"""What to do next: one rule a function, from the numbers of a run.

A rule returns no advice where it does not apply. `advice` calls them in order of importance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trackbed.evaluation.mistakes import wrong
from trackbed.reporting import evaluation_tables, formatting, training_advice
from trackbed.reporting.dataset_summary import Reason
from trackbed.reporting.evaluation_tables import Confusion
from trackbed.reporting.run import Run

LISTED = 3  # classes or files that are named
# Conventions; all shares are 0 to 1.
FEW_TEST_IMAGES = 10
FEWEST_CONFUSED = 3  # images
CONFUSED_SHARE = 0.1  # of the images of the true class or of those predicted as the other
MOST_PAIRS = 3
FEW_OF_MEDIAN = 0.5  # training images of a class against the median class
BELOW_MACRO = 0.05  # of its F1 below macro F1
SURE = 0.95  # confidence
VALIDATION_GAP = 0.05  # of macro F1 between validation and test part
WIDE = 0.08  # interval of macro F1
MISCALIBRATED = 0.05  # mean confidence less accuracy
REJECTED = 0.01  # of the files seen

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Advice:
    """What to do and the numbers it follows from; target: the anchor in the page of its details."""

    text: str
    target: str

    @property
    def link_text(self) -> str:
        """The text of the link to the target."""
        pictures = self.target == "gallery" or self.target.startswith("pair-")
        return "See the pictures." if pictures else "See the details."


def advice(run: Run) -> list[Advice]:
    """All advice for a run, the most important first."""
    evaluation, training, params = run.evaluation, run.training, run.params.get("train", {})
    scores, classes = evaluation.scores, evaluation.classes
    return [
        *some(training_advice.lagging_average(run), "training"),
        *some(training_advice.below_baseline(run), "scores"),
        *faultless(evaluation.mistakes, evaluation.predictions["group"].nunique()),
        *untested(classes),
        *confused(evaluation.confusion, classes),
        *scarce(run.data.counts, classes, scores.get("macro_f1"), params),
        *sure_mistakes(wrong(evaluation.predictions), evaluation.images),
        *validation_gap(training.summary, scores),
        *some(training_advice.overfitting(training.analysis, params), "training"),
        *some(training_advice.unfinished(training.summary, training.analysis), "training"),
        *wide_interval(scores, evaluation.predictions["group"].nunique()),
        *miscalibrated(scores, params),
        *rejected(run.data.files, run.data.reasons),
    ]


def some(text: str, target: str) -> list[Advice]:
    """One advice, or none where the text is ''."""
    return [Advice(text, target)] if text else []


def faultless(mistakes: int, groups: int) -> list[Advice]:
    """No mistake at all: how many there may still be.

    The share of groups with a mistake that gives none in `groups` with a probability of 5 %, the
    upper end of the one-sided 95 % interval (Clopper and Pearson 1934).
    """
    if mistakes or not groups:
        return []
    text = (
        f"No test image is classified wrong. In {formatting.plural(groups, 'group')} of images "
        f"that does not exclude mistakes in {formatting.percent(1 - 0.05 ** (1 / groups))} of such "
        "groups: test on more images, and on harder ones (another place, camera or season)."
    )
    return [Advice(text, "scores")]


def untested(classes: pd.DataFrame) -> list[Advice]:
    """Classes with no or fewer than FEW_TEST_IMAGES test images. classes: column support."""
    found, support = [], classes["support"]
    if none := [formatting.quoted(name) for name in support.index[support == 0]]:
        names = formatting.listed(none, LISTED)
        found.append(Advice(f"Add test images of {names}: there are none.", "data"))
    few = support[(support > 0) & (support < FEW_TEST_IMAGES)]
    if len(few):
        counted = [f"{formatting.quoted(name)} ({images})" for name, images in few.items()]
        names, least = formatting.listed(counted, LISTED), int(few.min())
        why = f"with {least}, a single one changes the recall by {1 / least:.2f}"
        text = f"Add test images of {names}: {why if least > 1 else 'a single one decides all'}."
        found.append(Advice(text, "data"))
    return found


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
        text = _confusion_text(one, classes, int(calls[one.predicted]), back)
        found.append(Advice(text, evaluation_tables.pair_anchor(place)))
    return found[:MOST_PAIRS]


def _confusion_text(one: Confusion, classes: pd.DataFrame, calls: int, back: int) -> str:
    """From the side of the class that it costs more."""
    true, predicted = formatting.quoted(one.true), formatting.quoted(one.predicted)
    if one.images / calls > one.images / one.support:
        name, row = predicted, classes.loc[one.predicted]
        part = f"{one.images:,} of the {calls:,}" if one.images < calls else f"all {calls:,}"
        what = f"{part} images predicted as {predicted} are {true}"
    else:
        name, row = true, classes.loc[one.true]
        part = f"{one.images:,} of its" if one.images < one.support else "all its"
        what = f"{part} {one.support:,} images are predicted as {predicted}"
    recall, precision = formatting.share(row.recall, 2), formatting.share(row.precision, 2)
    found = (
        f"recall {recall}, precision {precision}" if row.recall >= 0 else "none in the test part"
    )
    text = f"{name}: {found}; {what}."
    if back < FEWEST_CONFUSED:
        return text
    return f"{text} The reverse happens {back} times: they look alike, or labels are mixed up."


def scarce(
    counts: pd.DataFrame, classes: pd.DataFrame, macro_f1: float | None, train: Values
) -> list[Advice]:
    """Classes with few training images and a low F1.

    counts: images per class, column train; train: section of params.yaml, scalars as text.
    """
    median = counts["train"].median()
    low = classes["f1"] < (macro_f1 or 0) - BELOW_MACRO
    few = counts["train"] < FEW_OF_MEDIAN * median
    on = [key for key in ("class_weights", "balanced_sampling") if train.get(key) == "true"]
    other = f" (train.{on[0]} is on)" if on else ", or try train.class_weights"
    return [
        Advice(
            f"{formatting.quoted(name)} has "
            f"{formatting.plural(counts.at[name, 'train'], 'training image')} (median class: "
            f"{formatting.count(median)}) and an F1 of {formatting.share(f1)} (macro F1: "
            f"{formatting.share(macro_f1)}): collect more images of it{other}.",
            "balance",
        )
        for name, f1 in classes["f1"][low & few].sort_values(kind="stable").head(LISTED).items()
    ]


def sure_mistakes(mistakes: pd.DataFrame, images: int) -> list[Advice]:
    """Mistakes with a confidence of SURE or more: wrong labels are found there first.

    Not where half of the images are mistakes: then the model is at fault. mistakes: columns
    filename and confidence; the surest first. images: of the test part.
    """
    sure = mistakes[mistakes["confidence"] >= SURE]
    if sure.empty or len(mistakes) > images / 2:
        return []
    names = [formatting.name(name, 60) for name in sure["filename"]]
    text = (
        f"Check the labels of {len(sure):,} of {formatting.plural(len(mistakes), 'mistake')}, "
        f"those with a confidence of at least {SURE}: {formatting.listed(names, LISTED)}."
    )
    return [Advice(text, "gallery")]


def validation_gap(training: Values, scores: Values) -> list[Advice]:
    """A validation macro F1 above that of the test part by VALIDATION_GAP and its interval."""
    validation = (training.get("best") or {}).get("val_macro_f1")
    test, high = scores.get("macro_f1"), scores.get("macro_f1_high")
    if validation is None or test is None:
        return []
    if validation - test <= VALIDATION_GAP or validation <= (high or 0):
        return []
    text = (
        f"Validation macro F1 is {formatting.share(validation)}, test macro F1 "
        f"{formatting.share(test)}: the test images are of another kind, or images of one object "
        "are in several folds (data.group)."
    )
    return [Advice(text, "data")]


def wide_interval(scores: Values, groups: int) -> list[Advice]:
    """An interval of macro F1 wider than WIDE."""
    low, high = scores.get("macro_f1_low"), scores.get("macro_f1_high")
    if low is None or high is None or high - low <= WIDE:
        return []
    text = (
        f"The 95 % interval of macro F1 is {formatting.share(high - low)} wide, with "
        f"{formatting.plural(scores.get('images') or 0, 'test image')} in "
        f"{formatting.plural(groups, 'group')}; smaller differences are not distinguishable. Test "
        "on more groups, or compare settings by cross-validation (-S train.fold=0,1,…)."
    )
    return [Advice(text, "scores")]


def miscalibrated(scores: Values, train: Values) -> list[Advice]:
    """A mean confidence that differs from the accuracy by more than MISCALIBRATED."""
    over, accuracy = scores.get("overconfidence"), scores.get("accuracy", 0)
    if over is None or abs(over) <= MISCALIBRATED:
        return []
    now = f"train.label_smoothing, now {train.get('label_smoothing', 0)}"
    mean = formatting.share(accuracy + over)
    hint = f"choose thresholds on data ({now}, lowers probabilities)"
    if over > 0:
        hint = f"for better probabilities raise {now}"
    text = f"The mean confidence is {mean}, the accuracy {formatting.share(accuracy)}: {hint}."
    return [Advice(text, "confidence")]


def rejected(files: Values, reasons: list[Reason]) -> list[Advice]:
    """More than REJECTED of the files were rejected. reasons: the most frequent first."""
    seen, count = files.get("seen") or 0, files.get("rejected") or 0
    if not reasons or count <= REJECTED * seen:
        return []
    first = f"{reasons[0].images:,} of them as {formatting.quoted(reasons[0].reason)}"
    text = (
        f"{count:,} of {formatting.plural(seen, 'file')} were rejected, {first}: repair them or "
        "remove them from the source."
    )
    return [Advice(text, "rejects")]
