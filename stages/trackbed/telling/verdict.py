"""A run judged in a few sentences of plain text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trackbed.telling import findings, wording
from trackbed.telling.results import Results

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
    return f"{wording.share(low)} to {wording.share(high)}"


def _scores(results: Results) -> str:
    scores, matrix = results.scores, results.confusion.to_numpy()
    right, total = int(np.trace(matrix)), int(matrix.sum())
    between = interval(scores, "macro_f1")
    between = f" (95 % interval {between})" if between else ""
    return (
        f"The macro F1 is {wording.share(scores.get('macro_f1'))}{between}; {right:,} of "
        f"{wording.plural(total, 'test image')} are classified right "
        f"(accuracy {wording.percent(scores.get('accuracy'))})."
    )


def _extremes(results: Results) -> str:
    found = findings.extremes(results.classes)
    if found is None:
        return ""
    if found.best == found.weakest:
        return f"All classes have the same F1, {wording.share(found.best_f1)}."
    return (
        f"Best class: {_names(found.best)} (F1 {wording.share(found.best_f1)}); "
        f"weakest class: {_names(found.weakest)} (F1 {wording.share(found.weakest_f1)}"
        f"{_class_interval(results.classes, found.weakest)})."
    )


def _class_interval(classes: pd.DataFrame, names: list[str]) -> str:
    """Of one class; of several that tie none is told."""
    low, high = classes.loc[names[0], ["f1_low", "f1_high"]]
    if len(names) > 1 or np.isnan(low):
        return ""
    return f", 95 % interval {wording.share(low)} to {wording.share(high)}"


def _confusion(results: Results) -> str:
    frequent = findings.confusions(results.confusion, 1)
    if not frequent:
        return "No mistakes on the test part."
    pair = frequent[0]
    return (
        f"Most frequent confusion: {_name(pair.true)} taken for {_name(pair.predicted)}, "
        f"{pair.images:,} of {wording.plural(pair.support, 'image')}."
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
    return f"“{wording.name(name, NAME_COLUMNS)}”"
