"""The most confused pairs of classes with pictures of what was confused."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trackbed.judging.predictions import wrong
from trackbed.telling import pictures
from trackbed.telling.findings import Confusion
from trackbed.telling.pictures import Card

PAIRS, EXAMPLES = 8, 4
SIDE = 120  # pixels


@dataclass(frozen=True)
class Pair:
    """A confusion, the anchor of its pictures in the page, and the surest of them."""

    confusion: Confusion
    anchor: str
    cards: list[Card]


def shown(
    confusions: list[Confusion], predictions: pd.DataFrame, records_path: Path, index: pd.DataFrame
) -> list[Pair]:
    """The first PAIRS confusions with EXAMPLES pictures each. Raises Problem as pictures.cards."""
    mistakes = wrong(predictions)
    chosen = [
        mistakes[(mistakes["true"] == one.true) & (mistakes["predicted"] == one.predicted)]
        for one in confusions[:PAIRS]
    ]
    return [
        Pair(
            confusion,
            f"pair-{place}",
            pictures.cards(records_path, index, rows.head(EXAMPLES), SIDE),
        )
        for place, (confusion, rows) in enumerate(zip(confusions, chosen, strict=False), 1)
    ]
