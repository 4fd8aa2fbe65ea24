"""Selections from the table of predictions: mistakes, samples, and mistakes by class."""

from typing import Any

import numpy as np
import pandas as pd

from trackbed.pipeline import tables


def wrong(table: pd.DataFrame) -> pd.DataFrame:
    """The wrong predictions, the most confident first; ties in the order of records."""
    found = table[table["true"] != table["predicted"]]
    return found.sort_values(["confidence", "record"], ascending=[False, True])


def surest_mistakes(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` wrong predictions, the most confident first; ties in the order of records."""
    return wrong(table).head(most)


def spread(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` predictions, evenly spread over the test part ordered by class and record."""
    rank = table["true"].map(
        {name: label for label, name in enumerate(tables.predicted_classes(table))}
    )
    ordered = table.assign(rank=rank).sort_values(["rank", "record"]).drop(columns="rank")
    count = min(most, len(ordered))
    # The middle of each of `count` equal stretches.
    places = ((np.arange(count) + 0.5) * len(ordered) / max(count, 1)).astype(int)
    return ordered.iloc[places]


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
