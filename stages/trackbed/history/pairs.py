"""What training and validation have in common: the loss that was minimised, and a score."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.history.history import History

# By these words, the first that a score of training and validation has.
SCORES = ("accuracy", "acc", "f1", "auc", "iou", "dice")


@dataclass(frozen=True, eq=False)
class LossPair:
    """Training and validation loss on their common epochs; several losses are added up."""

    name: str
    train: pd.Series
    validation: pd.Series


@dataclass(frozen=True, eq=False)
class ScorePair:
    """A score of training and validation by epoch, 0 to 1."""

    name: str
    train: pd.Series
    validation: pd.Series


def loss_pair(history: History) -> LossPair | None:
    """The loss that was minimised: the one called `loss`, else the sum of all that have a pair.

    Ultralytics logs the parts of its loss weighted as they are added up.
    """
    pairs = [
        (column, partner)
        for column in history.of("loss", "train")
        if (partner := history.partner(column, "validation"))
    ]
    whole = [pair for pair in pairs if pair[0].quantity == "loss"] or pairs
    if not whole:
        return None
    table = history.table
    sides = [sum(table[pair[side].name] for pair in whole) for side in (0, 1)]
    both = np.isfinite(sides[0]) & np.isfinite(sides[1])
    name = " + ".join(pair[0].quantity for pair in whole)
    return LossPair(name, sides[0][both], sides[1][both])


def score_pair(history: History) -> ScorePair | None:
    """The first score, by the order of SCORES, that training and validation have, 0 to 1."""
    columns = history.of("metric", "train")
    for word in SCORES:
        for column in columns:
            partner = history.partner(column, "validation")
            if word in column.quantity.lower() and "top" not in column.quantity and partner:
                train, validation = history.finite(column.name), history.finite(partner.name)
                unit = 100 if train.max() > 1.5 else 1  # logged in percent
                return ScorePair(column.quantity, train / unit, validation / unit)
    return None
