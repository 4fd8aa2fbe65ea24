"""What is left of the scores when images are spoiled."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from trackbed.judging import scores, tables

CLEAN = "none"
TYPES = {
    "corruption": "str",  # CLEAN, or a name of learning.corruptions
    "grade": "int64",  # 0 for the images as they are, else 1 (weak) to 5 (strong)
    "macro_f1": "float64",
    "accuracy": "float64",
}
Answers = Iterable[tuple[str, int, np.ndarray]]
"""Corruption, grade and the class that the model named for each spoiled image."""


def table(labels: np.ndarray, clean: np.ndarray, spoiled: Answers, classes: int) -> pd.DataFrame:
    """A row for the images as they are, and one per corruption and grade; columns as in TYPES.

    labels, clean and the answers: int, shape (images,).
    """
    rows = [(CLEAN, 0, *_scores(labels, clean, classes))]
    rows += [(name, grade, *_scores(labels, said, classes)) for name, grade, said in spoiled]
    return pd.DataFrame(rows, columns=list(TYPES))


def read(path: Path) -> pd.DataFrame:
    """The table from a file. Raises Problem for one that is missing, broken or of other columns."""
    return tables.read(path, TYPES)


def mean_accuracy(found: pd.DataFrame) -> dict[str, float]:
    """The mean over all corruptions and grades as 'corrupted_accuracy'; {} where there are none.

    The complement of the unnormalised mean corruption error of Hendrycks and Dietterich (2019).
    """
    spoiled = found["accuracy"][found["grade"] > 0]
    return {} if spoiled.empty else {"corrupted_accuracy": float(spoiled.mean())}


def _scores(labels: np.ndarray, said: np.ndarray, classes: int) -> tuple[float, float]:
    per_class = scores.per_class(scores.confusion(labels, said, classes))
    return float(per_class["f1"].mean()), float(np.mean(labels == said))
