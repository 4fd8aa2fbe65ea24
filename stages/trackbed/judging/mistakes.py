"""Which images a classifier took for something else."""

from typing import Any

import pandas as pd

from trackbed.judging.predictions import wrong


def false_inferences(predictions: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """File names of the mistakes, in the layout of the RAILS evaluation.

    predictions: columns record, filename, true, predicted, confidence. 'false_positive' lists
    per class the images that were wrongly taken for it, 'false_negative' those of the class
    that were taken for another, 'misclassified' every one of them, the surest first.
    """
    surest = wrong(predictions)
    mistaken = surest.sort_values("record")
    return {
        "false_positive": _files(mistaken, "predicted", classes),
        "false_negative": _files(mistaken, "true", classes),
        "misclassified": surest[["filename", "true", "predicted", "confidence"]]
        .rename(columns={"filename": "file"})
        .to_dict("records"),
    }


def _files(mistaken: pd.DataFrame, column: str, classes: list[str]) -> dict[str, list[str]]:
    return {name: mistaken["filename"][mistaken[column] == name].tolist() for name in classes}
