"""Which part of the test part is the hardest, in a sentence."""

import pandas as pd

from trackbed.judging import slices
from trackbed.telling import wording


def sentence(table: pd.DataFrame, whole: float | None) -> str:
    """The worst slice against the accuracy of the whole, if it differs by more than chance.

    table: see judging.slices; plain text, not escaped.
    """
    worst = slices.worst(table)
    if worst is None:
        return "No slice differs from the whole by more than chance."
    between = f"{wording.share(worst.accuracy_low, 2)} to {wording.share(worst.accuracy_high, 2)}"
    return (
        f"Worst slice: {worst.kind} {named(worst.kind, worst.slice)}: accuracy "
        f"{wording.share(worst.accuracy, 2)} ({between}), {wording.share(whole, 2)} over all."
    )


def named(kind: str, name: str) -> str:
    """The name of a slice; of a class or a group in quotation marks."""
    return f"“{wording.name(name, 60)}”" if kind in ("class", "group") else name
