"""Which images a classifier gets wrong, and which labels it does not believe."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError


def wrong(table: pd.DataFrame) -> pd.DataFrame:
    """The wrong predictions, the most confident first; ties in the order of records."""
    found = table[table["true"] != table["predicted"]]
    return found.sort_values(["confidence", "record"], ascending=[False, True])


def surest_mistakes(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` wrong predictions, the most confident first; ties in the order of records."""
    return wrong(table).head(most)


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


COLUMNS = ("rank", "record", "filename", "group", "given", "suggested", "self_confidence")
COLUMNS += ("confidence", "fold")


def averaged(answers: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Predictions of several models for the same rows: the means of their probabilities.

    answers: see pipeline.tables, with the same rows in the same order.
    """
    names = tables.predicted_classes(answers[0])
    mean = np.mean([probabilities(table, names) for table in answers], axis=0)
    rows = answers[0][["record", "filename", "group"]].assign(label=labels(answers[0], names))
    return tables.predictions(rows, names, mean)


def self_confidence(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The probability of each image's given label, 0 to 1; low ones are suspicious.

    probabilities: float, shape (images, classes), out of fold; labels: int, shape (images,).
    """
    return probabilities[np.arange(len(labels)), labels]


def ranked(table: pd.DataFrame, *, by_cleanlab: bool = False) -> pd.DataFrame:
    """The images, the most suspicious label first, with the columns of COLUMNS.

    table: out-of-fold predictions (see pipeline.tables) with `fold`. suggested: the most
    probable class, which may be the given one; confidence: its probability. Ties are in the order
    of records. by_cleanlab: only as many as cleanlab estimates to be mislabelled; raises UserError
    where it is not installed or finds a single class.
    """
    names = tables.predicted_classes(table.drop(columns="fold"))
    given, shares = labels(table, names), probabilities(table, names)
    own = self_confidence(shares, given)
    order = np.argsort(own, kind="stable")
    if by_cleanlab:
        order = order[: _cleanlab_count(given, shares)]
    made = table.rename(columns={"true": "given", "predicted": "suggested"})
    made = made.assign(self_confidence=own).iloc[order].reset_index(drop=True)
    made.insert(0, "rank", np.arange(1, len(made) + 1))
    return made[list(COLUMNS)]


def doubted(found: pd.DataFrame) -> pd.DataFrame:
    """Those of the ranked images for which another class than the given one is more probable."""
    return found[found["given"] != found["suggested"]]


def pairs(found: pd.DataFrame) -> pd.DataFrame:
    """How many of the ranked images go from one class to another: given, suggested, images.

    Most frequent first; images whose given class is the most probable one are left out.
    """
    counts = doubted(found).groupby(["given", "suggested"], sort=True).size()
    table = counts.reset_index(name="images")
    return table.sort_values("images", ascending=False, kind="stable", ignore_index=True)


def labels(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The place of each row's true class among the classes; int, shape (rows,)."""
    return table["true"].map({name: label for label, name in enumerate(names)}).to_numpy(int)


def probabilities(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The probabilities of a table of predictions; float, shape (rows, classes)."""
    columns = [f"{tables.PROBABILITY_PREFIX}{name}" for name in names]
    return table[columns].to_numpy(float)


def _cleanlab_count(labels: np.ndarray, probabilities: np.ndarray) -> int:
    """How many labels cleanlab estimates to be wrong. Raises UserError.

    The lowest self-confidences, so many, are what its filter low_self_confidence lists. Its default
    filter keeps at least one image of every class, so that it never lists the wrong label of a
    class's only image, nor all of three wrong ones.
    """
    try:
        from cleanlab.count import num_label_issues
    except ModuleNotFoundError:
        raise UserError(
            "--method cleanlab: needs cleanlab, which is not installed. Run `make suspects`."
        ) from None
    try:
        return int(num_label_issues(labels, probabilities))
    except ValueError as error:
        raise UserError(f"--method cleanlab: {error}") from None
