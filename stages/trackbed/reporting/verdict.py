"""The verdict of a run: the sentences that page and Markdown begin with, and those of sections.

All wording is here, but for the warning below a baseline, which evaluate prints too.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from trackbed.evaluation import baselines, slices
from trackbed.pipeline.params import NULLS
from trackbed.reporting import evaluation_tables, formatting, previous_runs
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.evaluation_tables import Evaluation
from trackbed.reporting.previous_runs import Previous
from trackbed.reporting.run import Run

NAMES = 3  # classes of one F1 that are named


@dataclass(frozen=True)
class Verdict:
    """Plain text, not escaped; '' or no sentence where there is nothing to say.

    warning: that no baseline is beaten. sentences: scores, change, classes, confusion, epoch,
    classes without test images.
    groups: how images came into groups. leak_risk: a warning that this is not known. worst_slice:
    the slice that is clearly worse than the whole.
    """

    warning: str
    sentences: list[str]
    groups: list[str]
    leak_risk: str
    worst_slice: str


def verdict(run: Run) -> Verdict:
    """The verdict of a run."""
    scores = run.evaluation.scores
    sentences = [
        scores_sentence(run.evaluation, bool(run.data.groups.get("groups_known"))),
        change_sentence(run.previous, scores),
        classes_sentence(run.evaluation.classes),
        confusion_sentence(run.evaluation.confusion),
        epoch_sentence(run.training.summary),
        untested_sentence(run.evaluation.classes),
    ]
    return Verdict(
        warning=baselines.baseline_warning(scores),
        sentences=[sentence for sentence in sentences if sentence],
        groups=group_sentences(run.data, run.params),
        leak_risk=group_warning(run.data),
        worst_slice=slice_sentence(run.evaluation.slices, scores.get("accuracy")),
    )


def scores_sentence(evaluation: Evaluation, groups_known: bool = True) -> str:
    """Macro F1 with its interval and what that supposes, and the accuracy in images."""
    scores, total = evaluation.scores, evaluation.images
    between = formatting.interval(scores, "macro_f1")
    supposed = "" if groups_known else ", if no two test images show the same object"
    between = f" (95 % interval {between}{supposed})" if between else ""
    return (
        f"The macro F1 is {formatting.share(scores.get('macro_f1'))}{between}; "
        f"{total - evaluation.mistakes:,} of {formatting.plural(total, 'test image')} are "
        f"classified correctly (accuracy {formatting.percent(scores.get('accuracy'))})."
    )


def change_sentence(previous: Previous | None, scores: dict[str, Any]) -> str:
    """The change of macro F1 and whether it exceeds the intervals, or that none can be given."""
    change = previous.difference(scores, "macro_f1") if previous else None
    if previous is None or change is None:
        return (
            "Nothing to compare with: no committed run with other scores was evaluated on this "
            "test part."
        )
    same = abs(change) < previous_runs.SAME
    sentence = (
        f"{'Unchanged from' if same else f'Change {change:+.3f} from'} the last committed run "
        f"({formatting.share(previous.scores['macro_f1'])}, commit {previous.commit[:10]})"
    )
    if same:
        return f"{sentence}."
    if previous_runs.apart(previous.scores, scores):
        return f"{sentence}: significant, the intervals do not overlap."
    test = f"`trackbed compare {previous.commit[:10]}`"
    return f"{sentence}: the intervals overlap; {test} tests the difference."


def classes_sentence(classes: pd.DataFrame) -> str:
    """The classes of the highest and of the lowest F1."""
    found = evaluation_tables.extremes(classes)
    if found is None:
        return ""
    if found.best == found.weakest:
        return f"All classes have the same F1, {formatting.share(found.best_f1)}."
    between = ""
    if len(found.weakest) == 1:
        between = formatting.interval(classes.loc[found.weakest[0]].dropna(), "f1")
    return (
        f"Best class: {_names(found.best)} (F1 {formatting.share(found.best_f1)}); "
        f"weakest class: {_names(found.weakest)} (F1 {formatting.share(found.weakest_f1)}"
        f"{f', 95 % interval {between}' if between else ''})."
    )


def confusion_sentence(matrix: pd.DataFrame) -> str:
    """The most frequent confusion. matrix: counts of images, true classes in rows."""
    frequent = evaluation_tables.confusions(matrix, 1)
    if not frequent:
        return "No mistakes on the test part."
    pair = frequent[0]
    return (
        f"Most frequent confusion: {formatting.quoted(pair.true)} predicted as "
        f"{formatting.quoted(pair.predicted)}, {pair.images:,} of "
        f"{formatting.plural(pair.support, 'image')}."
    )


def epoch_sentence(training: dict[str, Any]) -> str:
    """The best epoch and what it was best by. training: the summary of the training log."""
    best, epochs = training.get("best_epoch"), training.get("epochs")
    if best is None or epochs is None:
        return ""
    monitor = str(training.get("monitor", "val_loss")).replace("val_", "validation ")
    monitor = monitor.replace("macro_f1", "macro F1")
    stopped = "; training stopped early" if training.get("stopped_early") else ""
    return f"Best epoch by {monitor}: {best} of {epochs}{stopped}."


def untested_sentence(classes: pd.DataFrame) -> str:
    """The classes without a test image."""
    empty = classes.index[classes["support"] == 0].tolist()
    return f"No test images: {_names(empty)}." if empty else ""


def slice_sentence(table: pd.DataFrame, whole: float | None) -> str:
    """The worst slice against the accuracy of the whole, if the difference is significant.

    table: see evaluation.slices.
    """
    worst = slices.worst(table)
    if worst is None:
        return "No slice is significantly worse than the whole test part."
    name = worst.slice
    if worst.kind in ("class", "group"):
        name = formatting.quoted(name)
    return (
        f"Worst slice: {worst.kind} {name}: accuracy {formatting.share(worst.accuracy, 2)} "
        f"({formatting.interval(worst, 'accuracy', 2)}), {formatting.share(whole, 2)} overall."
    )


def group_sentences(data: Dataset, params: dict[str, Any]) -> list[str]:
    """How images came into groups. params: the sections, scalars as text."""
    groups = data.groups
    number = formatting.plural(groups.get("groups"), "group")
    sentences = [
        f"{formatting.plural(len(data.index), 'image')} in {number}, which are never split: "
        f"{_group_sources(data, params)}."
    ]
    joined = groups.get("joined_images")
    if joined:
        sentences.append(
            "Groups with the same pictures, near-duplicates or similar neighbours were joined into "
            f"{formatting.plural(groups.get('joined_groups'), 'group')} of "
            f"{formatting.plural(joined, 'image')}; the largest group has "
            f"{formatting.plural(groups.get('largest_group'), 'image')}. Joins: "
            "data/groups/joins.csv."
        )
    elif _given(params, "split", "join_distance"):
        sentences.append("No groups were joined: no near-duplicates in two groups.")
    across = groups.get("near_in_train_and_test")
    if across:
        sentences.append(
            f"In the given test part {formatting.plural(across, 'image')} "
            f"{'is a near-duplicate' if across == 1 else 'are near-duplicates'} of training "
            "images; trackbed leak lists the pairs."
        )
    validating = groups.get("near_in_train_and_validation")
    if validating:
        sentences.append(
            f"In the given validation part {formatting.plural(validating, 'image')} "
            f"{'is a near-duplicate' if validating == 1 else 'are near-duplicates'} of training "
            "images: validation scores are too high (split.validation_part: train joins the parts)."
        )
    return sentences


def group_warning(data: Dataset) -> str:
    """Warnings about groups that are unknown or large, and about uneven folds; '' without any."""
    sentences = []
    if not data.groups.get("groups_known"):
        sentences.append(
            "Leak risk unknown: it is not known which images belong together (data.group, "
            "split.consecutive_distance). If several show one object or come from one drive, "
            "training and test part share them, the scores are too high and their intervals too "
            "narrow."
        )
    large, missed = (data.groups.get(name) or 0 for name in ("large_groups", "missed_shares"))
    if large:
        sentences.append(
            f"{formatting.plural(large, 'group')} {'holds' if large == 1 else 'hold'} an unusual "
            "share of a class, which folds and test part cannot divide evenly "
            "(data/groups/large_groups.csv)."
        )
    if missed:
        sentences.append(
            "Folds or test part are uneven: "
            f"{formatting.plural(missed, 'share')} of a class or of all images "
            f"{'is' if missed == 1 else 'are'} off by more than a usual group "
            "(data/groups/shares.csv)."
        )
    return " ".join(sentences)


@dataclass(frozen=True)
class Leak:
    """found: images of the test part resemble training images. text: '' where none is known."""

    found: bool
    text: str


def leak(data: Dataset, params: dict[str, Any]) -> Leak:
    """Whether training and test part share images, as far as it is known."""
    shared = data.groups.get("near_in_train_and_test") or 0
    if params.get("data", {}).get("on_conflict") == "keep":
        shared = max(shared, data.files.get("in_train_and_test") or 0)
    if shared:
        return Leak(True, f"{formatting.plural(shared, 'image')} in training and test part")
    if not data.groups.get("groups_known"):
        return Leak(False, "which images belong together is not known")
    return Leak(False, "")


def _group_sources(data: Dataset, params: dict[str, Any]) -> str:
    """Where the groups come from."""
    pattern = _given(params, "data", "group")
    consecutive = _given(params, "split", "consecutive_distance")
    ways = []
    if pattern:
        ways.append(f"by data.group ({formatting.name(pattern)})")
    elif not data.index["named_group"].is_unique:
        ways.append("by the source")
    if consecutive:
        ways.append(
            f"by consecutive names whose perceptual hashes differ in at most {consecutive} bits"
        )
    return ", and ".join(ways) or "every image is a group of its own"


def _given(params: dict[str, Any], section: str, key: str) -> str:
    value = str(params.get(section, {}).get(key, ""))
    return "" if value in NULLS else value


def _names(names: list[str]) -> str:
    return formatting.listed([formatting.quoted(name) for name in names], NAMES)
