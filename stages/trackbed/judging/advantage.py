"""By how much a model is better than baselines that need no network."""

from collections.abc import Mapping

import numpy as np

from trackbed.judging import intervals, scores


def advantage(
    labels: np.ndarray,
    predicted: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    groups: np.ndarray,
    classes: int,
    seed: int,
) -> dict[str, float]:
    """Macro F1 of the baselines, and that of the model less that of the best of them.

    labels, predicted and the baselines: int, shape (images,). 'above_baseline' has a paired 95 %
    interval over groups, see intervals.macro_f1_difference; where that is not above 0,
    'not_above_baseline' is 1, else 0. A single group has no interval (NaN), and nothing is shown.
    """
    reached = {name: _macro_f1(labels, said, classes) for name, said in baselines.items()}
    best = max(reached, key=reached.__getitem__)
    difference, low, high = intervals.macro_f1_difference(
        labels, (predicted, baselines[best]), groups, classes, seed
    )
    return {f"baseline_{name}_macro_f1": value for name, value in reached.items()} | {
        "above_baseline": difference,
        "above_baseline_low": low,
        "above_baseline_high": high,
        "not_above_baseline": int(not low > 0),
    }


def _macro_f1(labels: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    table = scores.per_class(scores.confusion(labels, predicted, classes))
    return float(scores.averages(table).loc["macro avg", "f1"])
