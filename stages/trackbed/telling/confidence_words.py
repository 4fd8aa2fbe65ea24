"""What a temperature and a threshold make of the confidence, in words."""

from collections.abc import Mapping
from typing import Any

from trackbed.judging.temperature import BOUNDS
from trackbed.telling import verdict, wording

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


def refusal(scores: Scores, evaluate: Mapping[str, str]) -> list[str]:
    """Sentences on refusing what the network is not sure of; none without such an evaluation."""
    if "refusal_threshold" not in scores:
        return []
    wanted = evaluate.get("wanted_precision", wording.NOT_AVAILABLE)
    return [
        _threshold(scores, wanted),
        "This does not catch pictures of classes that the network does not know: it may be as sure "
        "of those. On traffic signs with 8 classes held out, the confidence told them from the "
        "known ones with an AUROC of 0.74, where 1 is always and 0.5 is by chance.",
    ]


def _threshold(scores: Scores, wanted: str) -> str:
    least = scores["refusal_threshold"]
    if least is None:
        return (
            f"On the validation fold no confidence is high enough for {wanted} of the answers at "
            "or above it to be right (evaluate.wanted_precision): there is no threshold."
        )
    kept, precision = scores.get("refusal_coverage"), scores.get("refusal_precision")
    which = f"answers with a confidence of at least {wording.share(least)}" if least else "answers"
    said = (
        f"Of all {which} for the validation fold at least {wanted} are right "
        "(evaluate.wanted_precision)."
    )
    if precision is None:
        return f"{said} No test image is as sure."
    between = verdict.interval(dict(scores), "refusal_precision")
    between = f" (95 % interval {between})" if between else ""
    return (
        f"{said} On the test part {wording.percent(kept)} of the images remain then, and "
        f"{wording.share(precision)}{between} of their answers are right."
    )
