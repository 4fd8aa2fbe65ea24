"""Which images a classifier took for something else."""

from typing import Any

import pandas as pd


def false_inferences(predictions: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """File names of the mistakes, in the layout of the RAILS evaluation.

    predictions: columns filename, true, predicted, confidence. 'false_positive' lists per class
    the images that were wrongly taken for it, 'false_negative' those of the class that were
    taken for another, 'misclassified' every one of them, the surest first.
    """
    wrong = predictions[predictions["true"] != predictions["predicted"]]
    surest = wrong.sort_values(["confidence", "filename"], ascending=[False, True])
    return {
        "false_positive": _files(wrong, "predicted", classes),
        "false_negative": _files(wrong, "true", classes),
        "misclassified": surest[["filename", "true", "predicted", "confidence"]]
        .rename(columns={"filename": "file"})
        .to_dict("records"),
    }


def _files(wrong: pd.DataFrame, column: str, classes: list[str]) -> dict[str, list[str]]:
    return {name: wrong["filename"][wrong[column] == name].tolist() for name in classes}
