"""What a quicker engine or precision of the backbone does to the answers."""

import numpy as np

from trackbed.judging import intervals


def agreement(
    labels: np.ndarray,
    quick: np.ndarray,
    exact: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Share of equal predictions, and the macro F1 of the quick ones less that of the exact ones.

    labels, quick, exact: int, shape (images,). The difference has a 95 % interval, see
    intervals.macro_f1_difference.
    """
    difference, low, high = intervals.macro_f1_difference(
        labels, (quick, exact), groups, classes, seed
    )
    return {
        "embed_equal": float((quick == exact).mean()),
        "embed_macro_f1_difference": difference,
        "embed_macro_f1_difference_low": low,
        "embed_macro_f1_difference_high": high,
    }
