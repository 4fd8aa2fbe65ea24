"""What to do next: the rules of class_rules and run_rules, applied to a run, in order of weight."""

from typing import Any

import pandas as pd

from trackbed.history.analysis import Analysis
from trackbed.judging.predictions import wrong
from trackbed.telling import class_rules, findings, run_rules
from trackbed.telling.class_rules import Advice
from trackbed.telling.dataset import Dataset
from trackbed.telling.results import Results

CONFUSIONS = 10


def advice(
    results: Results,
    data: Dataset,
    predictions: pd.DataFrame,
    training: dict[str, Any],
    analysis: Analysis | None,
    params: dict[str, Any],
    anchors: list[str],
) -> list[Advice]:
    """All that the numbers of a run call for, the most important first.

    training: see curves.summary; params: sections of params.yaml, scalars as text; anchors: of
    the pictures of the most frequent confusions.
    """
    scores, classes, train = results.scores, results.classes, params.get("train", {})
    confusions = findings.confusions(results.confusion, CONFUSIONS)
    calls = results.confusion.sum(axis=0)
    return [
        *class_rules.untested(classes),
        *class_rules.confused(confusions, classes, calls, anchors),
        *class_rules.scarce(data.counts, classes, scores.get("macro_f1"), train),
        *class_rules.sure_mistakes(wrong(predictions)),
        *run_rules.validation_gap(training, scores),
        *run_rules.overfitting(analysis, train),
        *run_rules.unfinished(training, analysis),
        *run_rules.wide_interval(scores, predictions["group"].nunique()),
        *run_rules.misjudged(scores, train),
        *run_rules.rejects(data.files, data.reasons),
        *run_rules.waiting(training),
    ]
