"""What a temperature and a threshold make of the confidence, in words."""

from collections.abc import Mapping
from typing import Any

from trackbed.judging.temperature import BOUNDS
from trackbed.telling import wording

NEAR = 1e-3  # of a bound
Scores = Mapping[str, Any]


def temperature(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on the temperature; none where the evaluation knows of none.

    evaluate: section of params.yaml, scalars as text.
    """
    degrees = scores.get("temperature")
    if degrees is None:
        return []
    direction = "too sure: it lowers them" if degrees > 1 else "not sure enough: it raises them"
    said = [
        f"The temperature that fits the validation fold best is {wording.share(degrees)}; without "
        f"it the network's probabilities were {direction}. No answer changes.",
        "The probabilities in this report are those with the temperature (evaluate.calibrated)."
        if evaluate.get("calibrated") == "true"
        else "evaluate.calibrated: true puts its probabilities everywhere in this report.",
    ]
    low, high = BOUNDS
    if not low * (1 + NEAR) < degrees < high * (1 - NEAR):
        said.append(
            "It lies at the end of the allowed range: a validation fold without mistakes, or with "
            "nothing but chance, does not settle it."
        )
    return said
