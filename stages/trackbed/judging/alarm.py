"""Why not to trust a model, in a sentence that nobody overlooks."""

from collections.abc import Mapping
from typing import Any


def not_above_baseline(scores: Mapping[str, Any]) -> str:
    """A warning where the model is not better than a baseline by more than chance, else ''.

    scores: with the names of `advantage.advantage`; '' where they are missing, too.
    """
    if not scores.get("not_above_baseline"):
        return ""
    names = ("above_baseline", "above_baseline_low", "above_baseline_high")
    value, low, high = (_told(scores.get(name), "+") for name in names)
    majority, logistic = (
        _told(scores.get(f"baseline_{name}_macro_f1")) for name in ("majority", "logistic")
    )
    return (
        f"WARNING: this model is NOT SHOWN to be better than a baseline without a network. Macro "
        f"F1 is {_told(scores.get('macro_f1'))}; always naming the most frequent class reaches "
        f"{majority}, logistic regression on colour and gradient statistics {logistic}. The "
        f"difference to the better one is {value} (95 % interval {low} to {high}), and its "
        "interval is not above 0."
    )


def _told(value: float | None, sign: str = "") -> str:
    return "n/a" if value is None else f"{value:{sign}.3f}"
