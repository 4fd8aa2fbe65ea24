"""A run in a few sentences: result, groups, hardest slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trackbed.evaluation import slices
from trackbed.pipeline.params import NOTHING
from trackbed.reporting import evaluation_tables, formatting
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.evaluation_tables import Results


def slice_sentence(table: pd.DataFrame, whole: float | None) -> str:
    """The worst slice against the accuracy of the whole, if it differs by more than chance.

    table: see judging.slices; plain text, not escaped.
    """
    worst = slices.worst(table)
    if worst is None:
        return "No slice differs from the whole by more than chance."
    between = (
        f"{formatting.share(worst.accuracy_low, 2)} to {formatting.share(worst.accuracy_high, 2)}"
    )
    return (
        f"Worst slice: {worst.kind} {slice_name(worst.kind, worst.slice)}: accuracy "
        f"{formatting.share(worst.accuracy, 2)} ({between}), {formatting.share(whole, 2)} over all."
    )


def slice_name(kind: str, name: str) -> str:
    """The name of a slice; of a class or a group in quotation marks."""
    return f"“{formatting.name(name, 60)}”" if kind in ("class", "group") else name


def group_sentences(data: Dataset, params: dict[str, Any]) -> list[str]:
    """How images came into groups, as plain text. params: the sections, scalars as text."""
    groups, split = data.groups, params.get("split", {})
    number = formatting.plural(groups.get("groups"), "group")
    said = [
        f"{formatting.plural(len(data.index), 'image')} in {number} that are never divided: "
        f"{_how_groups_came(data, params)}."
    ]
    joined = groups.get("joined_images")
    if joined:
        said.append(
            f"{formatting.count(joined)} of them look so much alike that their groups were joined "
            f"to {formatting.count(groups.get('joined_groups'))}; the largest group has "
            f"{formatting.plural(groups.get('largest_group'), 'image')}."
        )
    elif _given(split, "join_distance"):
        said.append("No near-duplicates were found to be joined.")
    across = groups.get("near_in_train_and_test")
    if across:
        said.append(
            f"Of the given test part {formatting.plural(across, 'image')} nearly repeat"
            f"{'s' if across == 1 else ''} one that is not in it; trackbed leak names such pairs."
        )
    return said


def groups_unknown(data: Dataset) -> str:
    """A warning where neither names nor their order say which images belong together, else ''."""
    if data.groups.get("groups_known"):
        return ""
    return (
        "Leak risk unknown: nothing says which images belong together (data.group, "
        "split.consecutive_distance). If several show one object or come from one drive, some of "
        "them are trained on and others are judged, and the scores are too high."
    )


def _how_groups_came(data: Dataset, params: dict[str, Any]) -> str:
    """What told the groups."""
    pattern = _given(params.get("data", {}), "group")
    consecutive = _given(params.get("split", {}), "consecutive_distance")
    ways = []
    if pattern:
        ways.append(f"by data.group ({formatting.name(pattern)})")
    elif not data.index["named_group"].is_unique:
        ways.append("as the source names them")
    if consecutive:
        ways.append(
            "neighbours in the order of their names, where their perceptual hashes differ in "
            f"{consecutive} bits at most"
        )
    return ", and ".join(ways) or "every image is a group of its own"


def _given(section: dict[str, Any], key: str) -> str:
    value = str(section.get(key, ""))
    return "" if value in NOTHING else value


NAME_COLUMNS = 60


def sentences(results: Results, training: dict[str, Any]) -> list[str]:
    """Scores, best and weakest class, most frequent confusion, best epoch; not escaped.

    training: see curves.summary.
    """
    said = [_scores(results), _extremes(results), _confusion(results), _epoch(training)]
    empty = results.classes.index[results.classes["support"] == 0].tolist()
    if empty:
        said.append(f"No test images: {_names(empty)}.")
    return [sentence for sentence in said if sentence]


def interval(scores: dict[str, Any], score: str) -> str:
    """'0.893 to 0.934', or '' where the evaluation gives no interval for the score."""
    low, high = scores.get(f"{score}_low"), scores.get(f"{score}_high")
    if low is None or high is None:
        return ""
    return f"{formatting.share(low)} to {formatting.share(high)}"


def _scores(results: Results) -> str:
    scores, matrix = results.scores, results.confusion.to_numpy()
    right, total = int(np.trace(matrix)), int(matrix.sum())
    between = interval(scores, "macro_f1")
    between = f" (95 % interval {between})" if between else ""
    return (
        f"The macro F1 is {formatting.share(scores.get('macro_f1'))}{between}; {right:,} of "
        f"{formatting.plural(total, 'test image')} are classified right "
        f"(accuracy {formatting.percent(scores.get('accuracy'))})."
    )


def _extremes(results: Results) -> str:
    found = evaluation_tables.extremes(results.classes)
    if found is None:
        return ""
    if found.best == found.weakest:
        return f"All classes have the same F1, {formatting.share(found.best_f1)}."
    return (
        f"Best class: {_names(found.best)} (F1 {formatting.share(found.best_f1)}); "
        f"weakest class: {_names(found.weakest)} (F1 {formatting.share(found.weakest_f1)}"
        f"{_class_interval(results.classes, found.weakest)})."
    )


def _class_interval(classes: pd.DataFrame, names: list[str]) -> str:
    """Of one class; of several that tie none is told."""
    low, high = classes.loc[names[0], ["f1_low", "f1_high"]]
    if len(names) > 1 or np.isnan(low):
        return ""
    return f", 95 % interval {formatting.share(low)} to {formatting.share(high)}"


def _confusion(results: Results) -> str:
    frequent = evaluation_tables.confusions(results.confusion, 1)
    if not frequent:
        return "No mistakes on the test part."
    pair = frequent[0]
    return (
        f"Most frequent confusion: {_name(pair.true)} taken for {_name(pair.predicted)}, "
        f"{pair.images:,} of {formatting.plural(pair.support, 'image')}."
    )


def _epoch(training: dict[str, Any]) -> str:
    best, epochs = training.get("best_epoch"), training.get("epochs")
    if best is None or epochs is None:
        return ""
    monitor = str(training.get("monitor", "val_loss")).replace("val_", "validation ")
    stopped = ", where training stopped early" if training.get("stopped_early") else ""
    return f"Best epoch by {monitor.replace('_', ' ')}: {best} of {epochs}{stopped}."


def _names(names: Sequence[str], most: int = 3) -> str:
    listed = ", ".join(_name(name) for name in names[:most])
    rest = len(names) - most
    return f"{listed} and {rest} more" if rest > 0 else listed


def _name(name: str) -> str:
    return f"“{formatting.name(name, NAME_COLUMNS)}”"
